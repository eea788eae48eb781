import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import type { Codec } from "../../services/core/ports.ts";
import type { NotificationEvent } from "../../services/core/records.ts";
import type { Millis } from "../../services/core/time.ts";
import type { Partitions } from "../../services/memory/log.ts";
import { type Said, say } from "../../services/runtime/producer.ts";
import { at } from "../support/chat.ts";
import { chaos, type Turn } from "../support/chaos.ts";
import { beginning, history, type Moment, recordsOf, turns } from "../support/history.ts";
import { memoryCodec } from "../support/memory.ts";

let codec: Codec;
beforeAll(async () => {
  codec = await memoryCodec();
});

const START = at("12:00");
/** Runs of each property. The seed of one that fails is printed. */
const RUNS = Number(process.env["RUNS"] ?? 100);

interface Told {
  readonly id: string;
  readonly userId: string;
  readonly at: Millis;
  readonly messageIds: readonly string[];
  readonly texts: readonly string[];
}

const briefly = ({ id, userId, occurredAt, messageIds, snapshot }: NotificationEvent): Told => ({
  id,
  userId,
  at: occurredAt,
  messageIds,
  texts: snapshot?.conversations[0]?.messages.map(({ text }) => text) ?? [],
});

/** Puts a moment's records on the log. */
type Publish = (put: (said: readonly Said[]) => Promise<void>, said: readonly Said[]) => Promise<void>;

/** Plays a history and says who was told what, each notification once, ordered by time and id. */
const play = async (
  moments: readonly Moment[],
  drawn: readonly Turn[] = [],
  partitions: Partitions = 4,
  publish: Publish = (put, said) => put(said),
): Promise<readonly Told[]> => {
  const world = chaos(codec, START, partitions);
  const put = (said: readonly Said[]): Promise<void> => say(world.log, codec, said);
  const left = drawn[Symbol.iterator]();
  await publish(put, beginning(START));
  await world.advance(START, left);
  let time = START;
  for (const moment of moments) {
    time += moment.gap;
    await world.advance(time - 1, left);
    const said = recordsOf(moment, time);
    world.skip(time + said.length);
    await publish(put, said);
    await world.advance(time + said.length, left);
    time += said.length;
  }
  await world.advance(time + 86_400_000, left);
  const seen = new Set<string>();
  const told = world
    .triggered()
    .map(briefly)
    .filter(({ id }) => !seen.has(id) && seen.add(id));
  for (const of of Map.groupBy(told, ({ userId }) => userId).values())
    expect(of.map((each) => each.at)).toEqual(of.map((each) => each.at).toSorted((a, b) => a - b));
  return told.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
};

test("whatever crashes, fails or is lost between whichever steps, the same people are told the same, in order", async () => {
  await fc.assert(
    fc.asyncProperty(history, turns, async (moments, drawn) => {
      expect(await play(moments, drawn)).toEqual(await play(moments));
    }),
    { numRuns: RUNS },
  );
});
