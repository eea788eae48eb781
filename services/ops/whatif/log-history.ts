import { partitionsOf } from "../../platform/contract/topic-partition.ts";
import type { LogRecord } from "../../domain/log-record.ts";
import type { Codec, Log, RawRecord } from "../../platform/contract/ports.ts";
import type { Millis } from "../../platform/contract/time.ts";
import type { TopicId } from "../../domain/topics.ts";
import { decoded } from "../read.ts";

/** The operations that reading a history needs of a log. */
export type Source = Pick<Log, "partitions" | "offsets" | "scan">;

/** A record and its time: its timestamp, or a later one of an earlier record on its partition. */
interface Waiting {
  readonly time: Millis;
  readonly raw: RawRecord;
}

/**
 * Reads the present records of topics, decoded, in the order of their timestamps. Records of a partition stay in its order,
 * and undecodable ones are left out. No topic is read further than the others need, so memory holds only the records that
 * the scan of one topic is ahead on one of its partitions. Throws Transient.
 */
export async function* readLog(
  log: Source,
  codec: Codec,
  topics: readonly TopicId[],
): AsyncGenerator<readonly LogRecord[]> {
  await using closing = new AsyncDisposableStack();
  const sources = await Promise.all(topics.map((topic) => open(log, topic)));
  for (const source of sources) closing.defer(() => source.close());
  for (;;) {
    const until = Math.min(...sources.map((source) => source.reached()));
    const ready = sources.flatMap((source) => source.before(until)).toSorted((a, b) => a.time - b.time);
    const raws = ready.map(({ raw }) => raw);
    await codec.prepare(raws);
    yield raws.flatMap((raw) => (decoded(raw, codec) as LogRecord | null) ?? []);
    if (until === Infinity) return;
    await sources.find((source) => source.reached() === until)?.more();
  }
}

const open = async (log: Source, topic: TopicId) => {
  const partitions = await partitionsOf(log, [topic]);
  const offsets = await log.offsets(partitions);
  const queues = offsets.map(({ low, high }) => ({
    high,
    waiting: [] as Waiting[],
    /** Time before which no more records come. */
    reached: low < high ? -Infinity : Infinity,
  }));
  const scan = log.scan([topic])[Symbol.asyncIterator]();

  return {
    reached: (): Millis => Math.min(...queues.map(({ reached }) => reached)),
    /** Takes the records of earlier times. */
    before: (until: Millis): readonly Waiting[] =>
      queues.flatMap(({ waiting }) => {
        const end = waiting.findIndex(({ time }) => time >= until);
        return waiting.splice(0, end === -1 ? waiting.length : end);
      }),
    async more(): Promise<void> {
      const { done, value } = await scan.next();
      if (done === true) for (const queue of queues) queue.reached = Infinity;
      else
        for (const raw of value) {
          const queue = queues[raw.partition];
          if (queue === undefined) continue;
          const time = Math.max(raw.timestamp, queue.waiting.at(-1)?.time ?? -Infinity);
          queue.waiting.push({ time, raw });
          queue.reached = raw.offset + 1 >= queue.high ? Infinity : Math.max(queue.reached, time);
        }
    },
    close: async (): Promise<void> => void (await scan.return?.()),
  };
};
