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

/** Milliseconds that the live services' commits may wait. A switch that takes longer is given up. */
const SWITCH_PATIENCE = 60_000;
/** Time to wait for a lock that another session holds, such as a dump of the tables. */
const LOCK_PATIENCE = "10s";
/** Milliseconds that the rebuild may be behind when the live services start to wait for it. */
const NEAR: Millis = 2_000;
/** Milliseconds to wait for records with future timestamps. The live services fold the rest after the switch. */
const AHEAD_PATIENCE: Millis = 5_000;

/** Dependencies of a switch. */
export interface Switch {
  readonly live: Side;
  readonly liveWatermark: FlowWatermark;
  readonly database: Database;
  readonly rebuilt: Side & { readonly database: Database };
  readonly rebuiltWatermark: FlowWatermark;
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
  /** Notifications carried over: the rebuild has decided them, and the live services had not reached them. */
  readonly notifications: number;
  /** Other records carried over. */
  readonly others: number;
}

/** Throws Fatal if a switch is impossible. */
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
        `${name} has worked in ${lanes.length} lanes, but its topics have ${count} partitions now: a switch cannot move its state to another number of lanes`,
      );
  }
  await checkTables(database, schemas, namesOf(live.processors));
};

/**
 * Throws Fatal if the rebuilt state lacks facts that still matter, because the chat's topics are kept too short. A
 * participant may have joined at any time; the state forgets all other facts after a while anyway.
 * @param cut first times of the topics whose beginning retention has deleted
 */
export const checkKept = (cut: ReadonlyMap<TopicId, Millis>): void => {
  const matters = Date.now() - Math.max(MESSAGE_RETENTION, THREAD_RETENTION);
  const lost = [...cut].filter(([topic, from]) => topic === "participants" || from > matters);
  if (lost.length > 0)
    throw new Fatal(
      `the beginning of ${lost.map(([topic]) => declared(topic).name).join(", ")} is no longer on the log, but the live state still depends on it: a switch would lose what those records said`,
    );
};

/**
 * Puts the rebuilt state in place of the live one, in one transaction. It claims the lanes as any process claims them, so
 * the live services' commits wait. The rebuild folds the log up to then, and stops. One commit of those lanes saves its
 * state, the effects carried over, and the lanes' progress. The processes that held the lanes are fenced, and claim them
 * again with the new state. Throws Transient if the switch can't succeed now; then nothing has changed.
 */
export const switchOver = async (context: Switch): Promise<Switched> => {
  for (const { name } of context.live.processors) await context.rebuilt.database.query(`analyze state_${name}`);
  await until(
    async () => ((await context.rebuiltWatermark()) >= context.live.clock.now() - NEAR ? true : null),
    context.signal,
  );
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(SWITCH_PATIENCE)]);
  const past = await context.liveWatermark();
  context.recent.forget(past);
  return context.database.transaction(async (connection) => {
    const began = performance.now();
    await connection.query(`set local lock_timeout = '${LOCK_PATIENCE}'`);
    await connection.query(`set local idle_in_transaction_session_timeout = ${SWITCH_PATIENCE}`);
    const store = within(connection);
    const live = await claimAll(store, context.live);
    await context.told.add(await outboxOf(connection, live, ["notifications"]));
    await context.still.stop();
    const moment = Math.max(context.live.clock.now(), ...[...live.values()].flat().map(({ watermark: time }) => time));
    await until(
      async () =>
        (await context.rebuiltWatermark()) >= moment && (await isAtRest(context.rebuilt, moment)) ? true : null,
      signal,
    );
    await context.fold.stop();
    const waiting = await onTheirWay(context.rebuilt);
    if (waiting > 0)
      throw new Transient(
        `the rebuild did not finish in time (${waiting} of its records are not folded yet): try again`,
      );
    const rebuilt = await claimAll(context.rebuilt.store, context.rebuilt);
    await context.told.read();
    const said = await save(context, connection, store, live, rebuilt, past);
    return { ...said, took: Math.round(performance.now() - began) };
  });
};

type Progress = ReadonlyMap<string, readonly LaneProgress[]>;

const claimAll = async (store: Store, { log, processors }: Side): Promise<Progress> => {
  const holds = new Map<string, readonly LaneProgress[]>();
  for (const { name, home } of processors) holds.set(name, await store.claim(name, range(await log.partitions(home))));
  return holds;
};

/** Opens the store inside an open transaction. */
const within = (connection: Connection): Store =>
  postgresStore({
    query: (sql, values) => connection.query(sql, values),
    transaction: (body) => body(connection),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });

/** Tells if the rebuild has folded everything. Records with future timestamps are waited for until AHEAD_PATIENCE. */
const isAtRest = async (rebuilt: Switch["rebuilt"], moment: Millis): Promise<boolean> => {
  const { done, total } = await countOf(rebuilt);
  return (done === total || rebuilt.clock.now() > moment + AHEAD_PATIENCE) && (await onTheirWay(rebuilt)) === 0;
};

/** Counts records between the rebuilt processors that are not folded yet. A switch would lose them. */
const onTheirWay = async (rebuilt: Switch["rebuilt"]): Promise<number> => {
  const [open] = await rebuilt.database.query<{ entries: number }>("select count(*) as entries from outbox");
  const { done, total } = await countOf(rebuilt, derivedTopics);
  return (open?.entries ?? 0) + total - done;
};

const isOurs = ({ topic }: TopicPartition): boolean => isDerived(topic);

const save = async (
  context: Switch,
  connection: Connection,
  store: Store,
  live: Progress,
  rebuilt: Progress,
  past: Millis,
): Promise<Omit<Switched, "took">> => {
  const { processors } = context.live;
  const widths = new Map(
    await Promise.all(
      Object.keys(multicasts).map(async (topic) => [topic, await context.live.log.partitions(topic)] as const),
    ),
  );
  const untold = new Set(context.told.byRebuilt().map(({ id }) => id));
  const entries = context.recent.entries();
  if (entries === null)
    throw new Fatal(
      "the live services are so far behind that the records they have yet to publish do not fit in memory: let them catch up first",
    );
  const standingsBy = new Map<string, Standings>();
  for (const processor of processors) standingsBy.set(processor.name, await standingsOf(context.live, processor, live));
  await dropOutbox(connection, live);
  await swapTables(connection, context.schemas, namesOf(processors));
  let [notifications, others] = [0, 0];
  for (const processor of processors) {
    const { name } = processor;
    const carried = carry(processor, live.get(name) ?? [], entries, past, untold, context.codec, widths);
    const holds = carried.holds.map((hold) => {
      const folded = rebuilt.get(name)?.find(({ lane }) => lane === hold.lane);
      const standing = standingsBy.get(name)?.(hold.lane);
      if (folded === undefined || standing === undefined)
        throw new Fatal(`the rebuild has no lane ${hold.lane} of ${name}`);
      return switched(hold, folded, standing);
    });
    const commit = { processor: name, lanes: holds, revisit: null, rows: [], outbox: carried.outbox, jobs: [] };
    if ((await store.commit(commit)) === "fenced")
      throw new Transient("another process has claimed the lanes: try again");
    const told = countOfTopic(carried.outbox, "notifications");
    notifications += told;
    others += carried.outbox.length - told;
  }
  return { notifications, others };
};

type Standings = (lane: Lane) => Standing;

/** Reads the state of the live log for each lane of a processor, once the lanes are held. */
const standingsOf = async (live: Side, processor: Folding, holds: Progress): Promise<Standings> => {
  const count = await live.log.partitions(processor.home);
  const partitions = (await partitionsOf(live.log, inputsOf(processor))).filter(isOurs);
  const offsets = await live.log.offsets(partitions);
  const senders = holds.get("conversations") ?? [];
  const read = [...inputsOf(processor), ...(processor.globalTable?.topics ?? [])];
  return (lane) => {
    const ends: Record<string, number> = {};
    const given: Record<string, number> = {};
    partitions.forEach((partition, index) => {
      if (partition.partition % count !== lane) return;
      ends[nameOfPartition(partition)] = offsets[index]?.high ?? 0;
      if (partition.topic !== "inbox") return;
      for (const sender of senders)
        given[`${nameOfPartition(partition)}<${laneStream("conversations", sender.lane)}`] = sender.sequence;
    });
    return { read, ends, given };
  };
};

const streamsOf = (live: Progress): readonly string[] =>
  [...live].flatMap(([processor, holds]) => holds.map(({ lane }) => laneStream(processor, lane)));

const outboxOf = (
  connection: Connection,
  live: Progress,
  wanted: readonly TopicId[],
): Promise<readonly Pick<OutboxEntry, "value">[]> =>
  connection.query("select value from outbox where stream = any($1) and topic = any($2)", [streamsOf(live), wanted]);

/** Deletes the live processors' entries for each other. The rebuilt processors have exchanged theirs. */
const dropOutbox = async (connection: Connection, live: Progress): Promise<void> => {
  const among: readonly TopicId[] = ["inbox", "conversationStrays", "inboxStrays"];
  await connection.query("delete from outbox where stream = any($1) and topic = any($2)", [streamsOf(live), among]);
};
