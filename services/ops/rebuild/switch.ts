import { multicasts } from "../../domain/effect.ts";
import type { TopicId } from "../../platform/contract/topic.ts";
import type { Connection, Database } from "../../platform/contract/database.ts";
import { type TopicPartition, nameOfPartition, partitionsOf } from "../../platform/contract/topic-partition.ts";
import { Fatal, Transient } from "../../platform/contract/failure.ts";
import type { Codec, LaneProgress, OutboxEntry, Store } from "../../platform/contract/ports.ts";
import type { Lane } from "../../platform/contract/lane.ts";
import { laneStream } from "../../platform/contract/stream.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { declared, derivedTopics, isDerived } from "../../domain/topics.ts";
import { MESSAGE_RETENTION } from "../../conversations/message.ts";
import { THREAD_RETENTION } from "../../inboxes/forget.ts";
import { postgresStore } from "../../platform/adapters/postgres/store.ts";
import { carry, countOfTopic } from "./carry.ts";
import type { Fold } from "./fold.ts";
import { type Standing, switched } from "./lanes.ts";
import type { Recent } from "./recent.ts";
import type { Schemas } from "./rows.ts";
import type { FlowWatermark } from "../../platform/engine/time/flow-watermark.ts";
import { countOf, type Folding, inputsOf, namesOf, range, type Side } from "./side.ts";
import type { StillLog } from "./standstill.ts";
import { checkTables, swapTables } from "./tables.ts";
import type { Told } from "./told.ts";
import { until } from "./wait.ts";

/** Milliseconds that the live services' commits may have to wait; a switch that takes longer is given up. */
const SWITCH_PATIENCE = 60_000;
/** For a lock that somebody else holds: a dump of the tables, say. */
const LOCK_PATIENCE = "10s";
/** The rebuild may be so many milliseconds behind when the live services are made to wait for it. */
const NEAR: Millis = 2_000;
/** For records that producers have dated ahead: live will fold them. */
const AHEAD_PATIENCE: Millis = 5_000;

/** All that a switch has to do with. */
export interface Switch {
  readonly live: Side;
  readonly livePace: FlowWatermark;
  readonly database: Database;
  readonly rebuilt: Side & { readonly database: Database };
  readonly pace: FlowWatermark;
  readonly schemas: Schemas;
  readonly still: StillLog;
  readonly fold: Fold;
  readonly recent: Recent;
  readonly told: Told;
  readonly codec: Codec;
  readonly signal: AbortSignal;
}

export interface Switched {
  /** Milliseconds for which the live services' commits waited. */
  readonly took: number;
  /** What the rebuild had decided and live hadn't come to: notifications and the rest. */
  readonly notifications: number;
  readonly others: number;
}

/** Throws Fatal where a switch can't be. */
export const checkSwitch = async ({
  live,
  database,
  schemas,
}: Pick<Switch, "live" | "database" | "schemas">): Promise<void> => {
  for (const { name, home } of live.processors) {
    const count = await live.log.partitions(home);
    const lanes = (await live.store.progress(name, "notifications")).map(({ lane }) => lane);
    if (lanes.length === 0)
      throw new Fatal(`${name} has never run here, so there is nothing to switch: start the services`);
    if (lanes.length !== count || lanes.some((lane) => lane >= count))
      throw new Fatal(
        `${name} has worked in ${lanes.length} lanes, but its topics have ${count} partitions now: a switch can't deal its state out anew`,
      );
  }
  await checkTables(database, schemas, namesOf(live.processors));
};

/**
 * Throws Fatal where the rebuilt state lacks what still matters, because the chat's topics are kept too short: who takes
 * part may have been said at any time, all else is forgotten after a while anyway.
 * @param cut when those begin of which the beginning isn't kept
 */
export const checkKept = (cut: ReadonlyMap<TopicId, Millis>): void => {
  const matters = Date.now() - Math.max(MESSAGE_RETENTION, THREAD_RETENTION);
  const lost = [...cut].filter(([topic, from]) => topic === "participants" || from > matters);
  if (lost.length > 0)
    throw new Fatal(
      `the beginning of ${lost.map(([topic]) => declared(topic).name).join(", ")} is not kept any more, and the live state still goes by it: a switch would forget it`,
    );
};

/**
 * Puts the rebuilt state in place of the live one, in one transaction. The lanes are taken over as any process takes them
 * over, so the live services' commits wait; the rebuild folds what the log has by then, and stops; its state, what live
 * would have said yet, and where to go on from are saved as a commit of those lanes. Who held them before is fenced, and
 * takes them over with the new state. Throws Transient where it can't be now, and then nothing has changed.
 */
export const switchOver = async (it: Switch): Promise<Switched> => {
  for (const { name } of it.live.processors) await it.rebuilt.database.query(`analyze state_${name}`);
  await until(async () => ((await it.pace()) >= it.live.clock.now() - NEAR ? true : null), it.signal);
  const signal = AbortSignal.any([it.signal, AbortSignal.timeout(SWITCH_PATIENCE)]);
  const past = await it.livePace();
  it.recent.forget(past);
  return it.database.transaction(async (connection) => {
    const began = performance.now();
    await connection.query(`set local lock_timeout = '${LOCK_PATIENCE}'`);
    await connection.query(`set local idle_in_transaction_session_timeout = ${SWITCH_PATIENCE}`);
    const store = within(connection);
    const live = await claimAll(store, it.live);
    await it.told.add(await outboxOf(connection, live, ["notifications"]));
    await it.still.stop();
    const moment = Math.max(it.live.clock.now(), ...[...live.values()].flat().map(({ watermark: time }) => time));
    await until(
      async () => ((await it.pace()) >= moment && (await isAtRest(it.rebuilt, moment)) ? true : null),
      signal,
    );
    await it.fold.stop();
    const waiting = await onTheirWay(it.rebuilt);
    if (waiting > 0)
      throw new Transient(`the rebuild did not come to rest (${waiting} records are on their way): try again`);
    const rebuilt = await claimAll(it.rebuilt.store, it.rebuilt);
    await it.told.read();
    const said = await save(it, connection, store, live, rebuilt, past);
    return { ...said, took: Math.round(performance.now() - began) };
  });
};

type Holds = ReadonlyMap<string, readonly LaneProgress[]>;

const claimAll = async (store: Store, { log, processors }: Side): Promise<Holds> => {
  const holds = new Map<string, readonly LaneProgress[]>();
  for (const { name, home } of processors) holds.set(name, await store.claim(name, range(await log.partitions(home))));
  return holds;
};

/** The store inside a transaction that is open already. */
const within = (connection: Connection): Store =>
  postgresStore({
    query: (sql, values) => connection.query(sql, values),
    transaction: (body) => body(connection),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });

/** Whether nothing more follows from what there is. Records dated ahead are waited for only so long. */
const isAtRest = async (rebuilt: Switch["rebuilt"], moment: Millis): Promise<boolean> => {
  const { done, total } = await countOf(rebuilt);
  return (done === total || rebuilt.clock.now() > moment + AHEAD_PATIENCE) && (await onTheirWay(rebuilt)) === 0;
};

/** Records that a rebuilt processor has said to another, and that are not folded: a switch would lose them. */
const onTheirWay = async (rebuilt: Switch["rebuilt"]): Promise<number> => {
  const [open] = await rebuilt.database.query<{ entries: number }>("select count(*) as entries from outbox");
  const { done, total } = await countOf(rebuilt, derivedTopics);
  return (open?.entries ?? 0) + total - done;
};

const isOurs = ({ topic }: TopicPartition): boolean => isDerived(topic);

const save = async (
  it: Switch,
  connection: Connection,
  store: Store,
  live: Holds,
  rebuilt: Holds,
  past: Millis,
): Promise<Omit<Switched, "took">> => {
  const { processors } = it.live;
  const widths = new Map(
    await Promise.all(
      Object.keys(multicasts).map(async (topic) => [topic, await it.live.log.partitions(topic)] as const),
    ),
  );
  const untold = new Set(it.told.byRebuilt().map(({ id }) => id));
  const entries = it.recent.entries();
  if (entries === null)
    throw new Fatal("live is so far behind that what it has still to say doesn't fit in memory: let it catch up first");
  const standingsBy = new Map<string, Standings>();
  for (const processor of processors) standingsBy.set(processor.name, await standingsOf(it.live, processor, live));
  await dropOutbox(connection, live);
  await swapTables(connection, it.schemas, namesOf(processors));
  let [notifications, others] = [0, 0];
  for (const processor of processors) {
    const { name } = processor;
    const carried = carry(processor, live.get(name) ?? [], entries, past, untold, it.codec, widths);
    const holds = carried.holds.map((hold) => {
      const folded = rebuilt.get(name)?.find(({ lane }) => lane === hold.lane);
      const standing = standingsBy.get(name)?.(hold.lane);
      if (folded === undefined || standing === undefined)
        throw new Fatal(`the rebuild has no lane ${hold.lane} of ${name}`);
      return switched(hold, folded, standing);
    });
    const commit = { processor: name, lanes: holds, revisit: null, rows: [], outbox: carried.outbox, jobs: [] };
    if ((await store.commit(commit)) === "fenced") throw new Transient("the lanes passed to another: try again");
    const told = countOfTopic(carried.outbox, "notifications");
    notifications += told;
    others += carried.outbox.length - told;
  }
  return { notifications, others };
};

type Standings = (lane: Lane) => Standing;

/** Where the live log stands for each lane of a processor, asked once the lanes are held. */
const standingsOf = async (live: Side, processor: Folding, holds: Holds): Promise<Standings> => {
  const count = await live.log.partitions(processor.home);
  const places = (await partitionsOf(live.log, inputsOf(processor))).filter(isOurs);
  const extents = await live.log.offsets(places);
  const senders = holds.get("conversations") ?? [];
  const read = [...inputsOf(processor), ...(processor.globalTable?.topics ?? [])];
  return (lane) => {
    const ends: Record<string, number> = {};
    const given: Record<string, number> = {};
    places.forEach((place, index) => {
      if (place.partition % count !== lane) return;
      ends[nameOfPartition(place)] = extents[index]?.high ?? 0;
      if (place.topic !== "inbox") return;
      for (const sender of senders)
        given[`${nameOfPartition(place)}<${laneStream("conversations", sender.lane)}`] = sender.sequence;
    });
    return { read, ends, given };
  };
};

const streamsOf = (live: Holds): readonly string[] =>
  [...live].flatMap(([processor, holds]) => holds.map(({ lane }) => laneStream(processor, lane)));

const outboxOf = (
  connection: Connection,
  live: Holds,
  of: readonly TopicId[],
): Promise<readonly Pick<OutboxEntry, "value">[]> =>
  connection.query("select value from outbox where stream = any($1) and topic = any($2)", [streamsOf(live), of]);

/** What the live processors had to say to each other, the rebuilt ones have said and heard. */
const dropOutbox = async (connection: Connection, live: Holds): Promise<void> => {
  const among: readonly TopicId[] = ["inbox", "conversationStrays", "inboxStrays"];
  await connection.query("delete from outbox where stream = any($1) and topic = any($2)", [streamsOf(live), among]);
};
