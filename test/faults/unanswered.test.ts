import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { SEQUENCE_HEADER, STREAM_HEADER } from "../../services/platform/contract/stream.ts";
import type { World } from "../support/world.ts";
import { cutAtProduce, type Lines, unansweredAtProduce, wiredLog } from "./lines.ts";
import { startAll } from "./processes.ts";
import type { Manner } from "./proxy.ts";
import { type Trial, trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 600 : 30;
const ROUNDS = IS_WHOLE ? 3 : 1;
/** Milliseconds: longer than a client retries by itself, and longer than it waits for an answer. */
const BEYOND_RETRIES = 12_000;
const BEYOND_TIMEOUT = 35_000;

test(
  `a producer whose requests are left unanswered, by some brokers or all, publishes again with the same ids (SEED=${SEED})`,
  { timeout: 180_000 + ROUNDS * 240_000 },
  async () => {
    const { lines, chat } = await wiredLog();
    using work = await trial(chat, HISTORIES);
    const running = startAll(chat);
    const struck = await work.during(strike(lines, work), [running]);
    expect(struck).toHaveLength(IS_WHOLE ? 4 * ROUNDS : 2);
    await work.end([running], [...struck, `${await inboxRepeats(chat)} records of the inbox twice`]);
  },
);

const strike = async (lines: Lines, work: Trial): Promise<readonly string[]> => {
  await work.echo();
  const struck: string[] = [];
  const unanswered = async (manner: Manner, duration: number): Promise<void> => {
    const before = lines.kafka.cuts();
    lines.kafka.behave(manner);
    await delay(duration); // a wait beyond the clients' timeouts, not for a fact
    lines.kafka.behave({ type: "pass" });
    const count = lines.kafka.cuts() - before;
    expect(count).toBeGreaterThan(0);
    struck.push(`${manner.type} ${count} requests (heard again after ${await work.echo()} ms)`);
  };
  for (let round = 0; round < ROUNDS; round++) {
    await unanswered(cutAtProduce(true), BEYOND_RETRIES);
    if (IS_WHOLE) await unanswered(cutAtProduce(false), BEYOND_RETRIES);
    if (IS_WHOLE) await unanswered(unansweredAtProduce, BEYOND_TIMEOUT);
    const silent = lines.kafka.silence();
    struck.push(`${silent} connections silent for good (heard again after ${await work.echo()} ms)`);
  }
  return struck;
};

/** The number of repeated records on the inbox topic. Each repeat must have the number and the content of the first. */
const inboxRepeats = async ({ log, codec }: World): Promise<number> => {
  const seen = new Map<string, unknown>();
  let repeats = 0;
  for await (const raws of log.scan(["inbox"])) {
    await codec.prepare(raws);
    for (const { topic, partition, headers, value } of raws) {
      const [stream, sequence] = [STREAM_HEADER, SEQUENCE_HEADER].map((name) =>
        String(Buffer.from(headers[name] ?? [])),
      );
      const name = `${partition} ${stream} ${sequence}`;
      const said = value === null ? null : codec.decode(topic, value);
      if (seen.has(name)) repeats++;
      expect(said).toEqual(seen.get(name) ?? said);
      seen.set(name, said);
    }
  }
  return repeats;
};
