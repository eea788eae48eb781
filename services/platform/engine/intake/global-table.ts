import { randomUUID } from "node:crypto";
import { isPoisonous, messageOf } from "../../contract/failure.ts";
import type { LogRecord } from "../../../domain/log-record.ts";
import type { TopicPartition, RawRecord } from "../../contract/ports.ts";
import type { GlobalTable } from "../../contract/processor.ts";
import type { Millis } from "../../contract/time.ts";
import { SKEW } from "../../adapters/postgres/clock.ts";
import type { World } from "../engine.ts";
import { announce } from "../../runtime/facts.ts";
import { type Frontier, nameOfPartition, partitionsOf } from "../time/watermark.ts";
import { prepare, readLore } from "./decode.ts";

/** Reads a processor's lore, all of it, from the first record kept. */
export interface LoreReader<Given> extends AsyncDisposable {
  readonly places: readonly TopicPartition[];
  /** Learns what has arrived; whether there was anything. Throws Transient. */
  step(): Promise<boolean>;
  /** Whether all is known that its topics had when this was first asked. Throws Transient. */
  isWhole(): Promise<boolean>;
  /** What is known by now; it says itself from when on. */
  given(): Given;
  /** Tells the frontier how far it is read. */
  reach(frontier: Frontier): void;
  /** Cursors with the lore's places as far as they are read, and the time of the first record that they lack, if any. */
  news(
    cursors: Readonly<Record<string, number>>,
  ): { readonly cursors: Record<string, number>; readonly since: Millis } | null;
  arrival(signal: AbortSignal): Promise<void>;
}

interface Known {
  readonly raw: RawRecord;
  readonly record: LogRecord;
}

/** Records learned at once. */
const MAX_LEARNED = 1_000;

export const readLoreOf = async <Given>(
  processor: string,
  lore: GlobalTable<Given>,
  { log, codec, clock }: Pick<World, "log" | "codec" | "clock">,
): Promise<LoreReader<Given>> => {
  const places = await partitionsOf(log, lore.topics);
  // A group of its own: every process reads all of it.
  const subscription = await log.subscribe(`${processor}.lore.${randomUUID()}`, lore.topics, 1);
  const read = new Map(places.map((place) => [nameOfPartition(place), { next: null as number | null, latest: -1 }]));
  let assigned: readonly TopicPartition[] = [];
  let known: readonly Known[] = [];
  let given = lore.initial;
  /** Places that are still to be read to there. */
  let ahead: readonly (readonly [place: string, end: number])[] | null = null;

  const decoded = (raw: RawRecord): readonly Known[] => {
    try {
      return [{ raw, record: readLore(raw, codec) }];
    } catch (error) {
      if (!isPoisonous(error)) throw error;
      complain(processor, raw, error);
      return [];
    }
  };
  const learn = (so: Given, { raw, record }: Known): Given => {
    try {
      return lore.apply(so, record);
    } catch (error) {
      if (!isPoisonous(error)) throw error;
      complain(processor, raw, error);
      return so;
    }
  };
  const add = (more: readonly Known[]): void => {
    const sorted = more.toSorted(inOrder);
    const [first, last] = [sorted[0], known.at(-1)];
    if (first === undefined) return;
    const isBehind = last === undefined || inOrder(last, first) <= 0;
    known = isBehind ? [...known, ...sorted] : [...known, ...sorted].toSorted(inOrder);
    given = isBehind ? sorted.reduce(learn, given) : known.reduce(learn, lore.initial);
  };

  return {
    places,
    async isWhole() {
      ahead ??= (await log.offsets(places)).flatMap(({ low, high }, index) => {
        const place = places[index];
        return low === high || place === undefined ? [] : [[nameOfPartition(place), high] as const];
      });
      ahead = ahead.filter(([place, end]) => (read.get(place)?.next ?? 0) < end);
      return ahead.length === 0;
    },
    given: () => given,
    async step() {
      const now = subscription.assigned();
      if (now !== assigned) {
        assigned = now;
        for (const place of now) subscription.seek(place, read.get(nameOfPartition(place))?.next ?? null);
      }
      const slices = subscription.take(MAX_LEARNED);
      await prepare(
        slices.flatMap(({ records }) => records),
        codec,
      );
      const fresh: Known[] = [];
      for (const { place, records, next } of slices) {
        const at = read.get(nameOfPartition(place));
        if (at === undefined) continue;
        for (const raw of records) {
          if (raw.offset < (at.next ?? 0)) continue;
          if (raw.timestamp <= clock.now() + SKEW) at.latest = Math.max(at.latest, raw.timestamp); // else it is wrong
          fresh.push(...decoded(raw));
        }
        at.next = Math.max(at.next ?? 0, next);
      }
      add(fresh);
      return slices.length > 0;
    },
    reach(frontier) {
      for (const place of places) {
        const at = read.get(nameOfPartition(place));
        if (at !== undefined && at.next !== null) frontier.reach(place, at.next, at.latest);
      }
    },
    news(cursors) {
      const more: Record<string, number> = {};
      for (const [name, { next }] of read) if (next !== null && next > (cursors[name] ?? 0)) more[name] = next;
      if (Object.keys(more).length === 0) return null;
      const missed = known.filter(({ raw }) => raw.offset >= (cursors[nameOfPartition(raw)] ?? 0));
      return { cursors: more, since: Math.min(...missed.map(({ raw }) => raw.timestamp)) };
    },
    arrival: (signal) => subscription.arrival(signal),
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  };
};

/** Nobody but an operator can do anything about it, and it is met again at every start: no letter is written. */
const complain = (processor: string, { topic, partition, offset }: RawRecord, error: unknown): void =>
  announce("deadLetter", { processor, topic, partition, offset, reason: messageOf(error) });

const inOrder = (a: Known, b: Known): number =>
  a.raw.timestamp - b.raw.timestamp || a.record.at - b.record.at || a.raw.offset - b.raw.offset;
