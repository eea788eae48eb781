import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Random, random } from "../../deploy/local/demo/random.ts";
import { deck } from "./deck.ts";
import { type Lines, type Wired, wiredLog } from "./lines.ts";
import { type Running, startAll } from "./processes.ts";
import type { Manner } from "./proxy.ts";
import { type Trial, trial } from "./trial.ts";
import { IS_WHOLE, LONGEST, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 600 : 30;
const STRIKES = IS_WHOLE ? 44 : 11;
const STARTS = IS_WHOLE ? 9 : 1;
/** Milliseconds that a fault lasts while services start: longer than a start takes. */
const WHILE_STARTING = 5_000;

/** Causes a fault; returns a description of it. */
type Trouble = (wired: Wired, dice: Random) => Promise<string>;

const manners: readonly Manner[] = [
  { type: "stalled" },
  { type: "closed" },
  { type: "slow", latency: 200 },
  { type: "throttled", bytesPerSecond: 20_000 },
  { type: "halved" },
];

/**
 * Changes the behaviour of a proxy for a while. The registry's is changed while readers have something to ask it for.
 */
const meanwhile = async (
  { lines, renew }: Wired,
  which: keyof Lines,
  manner: Manner,
  milliseconds: number,
): Promise<void> => {
  lines[which].behave(manner);
  if (which === "registry") await renew();
  await delay(milliseconds);
  lines[which].behave({ type: "pass" });
};

const lasting =
  (which: keyof Lines, manner: Manner): Trouble =>
  async (wired, dice) => {
    await meanwhile(wired, which, manner, dice.below(LONGEST));
    return `${which} ${manner.type}`;
  };

const cut =
  (how: "end" | "reset"): Trouble =>
  ({ lines: { kafka } }) =>
    Promise.resolve(`${kafka.cut(how)} of kafka cut (${how})`);

const troubles: readonly Trouble[] = [
  cut("reset"),
  cut("end"),
  ...manners.map((manner) => lasting("kafka", manner)),
  ...manners.slice(0, 4).map((manner) => lasting("registry", manner)),
];

test(
  `whatever happens to connections with the log and the registry, every message is decided, mailed and posted (SEED=${SEED})`,
  { timeout: 180_000 + STRIKES * 20_000 },
  async () => {
    const wired = await wiredLog();
    using work = await trial(wired.chat, HISTORIES);
    const running = startAll(wired.chat);
    const struck = await work.during(strike(wired, work), [running]);
    expect(struck).toHaveLength(STRIKES);
    await work.end([running], struck);
  },
);

/** Causes faults one after the other, at moments that the seed draws. None repeats before all have been drawn. */
const strike = async (wired: Wired, work: Trial): Promise<readonly string[]> => {
  const dice = random(SEED);
  await work.echo();
  const struck: string[] = [];
  const draw = deck(dice, troubles);
  while (struck.length < STRIKES) {
    await delay(dice.below(LONGEST)); // a drawn moment, not a wait for a fact
    const what = await draw()(wired, dice);
    struck.push(`${what} (heard again after ${await work.echo()} ms)`);
  }
  return struck;
};

test(
  `services start however bad their connections are meanwhile (SEED=${SEED})`,
  { timeout: 180_000 + STARTS * 60_000 },
  async () => {
    const wired = await wiredLog();
    using work = await trial(wired.chat, HISTORIES);
    const dice = random(SEED);
    const struck: string[] = [];
    let running: Running | null = null;
    const draw = deck(
      dice,
      manners.flatMap((manner) => (["kafka", "registry"] as const).map((which) => [which, manner] as const)),
    );
    while (struck.length < STARTS) {
      const drawn = draw();
      running?.child.kill("SIGKILL");
      const next = startAll(wired.chat);
      const start = async (): Promise<number> => {
        await meanwhile(wired, ...drawn, WHILE_STARTING);
        return work.echo();
      };
      struck.push(`${drawn[0]} ${drawn[1].type} (heard after ${await work.during(start(), [next])} ms)`);
      running = next;
    }
    expect(running).not.toBeNull();
    await work.end(running === null ? [] : [running], struck);
  },
);
