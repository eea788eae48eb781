/** A fault that is put in on purpose, and the test that must fail by it. */
export interface Mutation {
  readonly what: string;
  readonly file: string;
  /** Text that is there once, and what stands in its place. */
  readonly from: string;
  readonly to: string;
  readonly test: string;
  /** Of the file's tests, those whose names have this. */
  readonly only: string;
}

/** What each guarantee hangs by: taken away, somebody must notice. */
export const mutations: readonly Mutation[] = [
  {
    what: "an epoch that is over may commit",
    file: "services/runtime/commit.ts",
    from: "on l.lane = mine.lane and l.epoch = mine.epoch",
    to: "on l.lane = mine.lane",
    test: "test/contract/store.test.ts",
    only: "is fenced",
  },
  {
    what: "lanes are kept whatever the group says",
    file: "services/runtime/engine.ts",
    from: "if (tenure !== null && now === assigned) return tenure;",
    to: "if (tenure !== null) return tenure;",
    test: "test/flow/chaos.test.ts",
    only: "whatever crashes",
  },
  {
    what: "what follows is published before it is committed",
    file: "services/runtime/turn.ts",
    from: `if ((await world.store.commit(commit)) === "fenced") return "fenced";`,
    to: `world.relay.offer(outbox);\n  if ((await world.store.commit(commit)) === "fenced") return "fenced";`,
    test: "test/contract/engine.test.ts",
    only: "whatever crashes",
  },
  {
    what: "the cursor is saved outside of the transaction, and so is all else",
    file: "services/runtime/store.ts",
    from: "database.transaction(async (connection) => ((await saveCommit(connection, commit))",
    to: "((one) => one(database))(async (connection) => ((await saveCommit(connection, commit))",
    test: "test/contract/postgres.test.ts",
    only: "saves nothing",
  },
  {
    what: "a lane is let go first and drained later",
    file: "services/runtime/serve.ts",
    from: "    await Promise.allSettled(running);\n    await joined.disposeAsync();",
    to: "    await joined.disposeAsync();\n    await Promise.allSettled(running);",
    test: "test/trouble/drain.test.ts",
    only: "",
  },
  {
    what: "a job is settled by whoever had its lease",
    file: "services/runtime/store.ts",
    from: "where queue = $1 and id = $2 and token = $3 returning 1",
    to: "where queue = $1 and id = $2 and $3::uuid is not null returning 1",
    test: "test/contract/queues.test.ts",
    only: "passed to another",
  },
  {
    what: "a repeated sequence number is read again",
    file: "services/runtime/examine.ts",
    from: "number > (arrived.get(queue) ?? holds.get(lane)?.heard[queue] ?? -1);",
    to: "number > -1 || arrived === holds;",
    test: "test/contract/engine.test.ts",
    only: "whatever crashes",
  },
  {
    what: "the relay marks before it publishes",
    file: "services/runtime/relay.ts",
    from: "        await log.publish(batch.map(outgoing));",
    to: "        await store.published(batch);\n        await log.publish(batch.map(outgoing));",
    test: "test/contract/engine.test.ts",
    only: "whatever crashes",
  },
  {
    what: "what was left to publish is forgotten",
    file: "services/runtime/engine.ts",
    from: "    await relay.recover(tenure.streams());\n",
    to: "",
    test: "test/contract/engine.test.ts",
    only: "whatever crashes",
  },
  {
    what: "ids are drawn, not derived",
    file: "services/core/ids.ts",
    from: "export const derivedId = (...parts: readonly (string | number)[]): string => {",
    to: "export const derivedId = (...parts: readonly (string | number)[]): string => {\n  parts = [...parts, Math.random()];",
    test: "test/flow/chaos.test.ts",
    only: "whatever crashes",
  },
  {
    what: "the outbox is published in reverse",
    file: "services/runtime/relay.ts",
    from: "await log.publish(batch.map(outgoing));",
    to: "await log.publish(batch.map(outgoing).reverse());",
    test: "services/runtime/relay.test.ts",
    only: "",
  },
  {
    what: "the outbox is read in reverse",
    file: "services/runtime/store.ts",
    from: "order by stream, sequence limit $3",
    to: "order by stream, sequence desc limit $3",
    test: "test/contract/queues.test.ts",
    only: "in order within a stream",
  },
  {
    what: "a job is made again once it is done",
    file: "services/runtime/commit.ts",
    from: "on conflict (queue, id) do nothing",
    to: "on conflict (queue, id) do update set state = 'ready'",
    test: "test/contract/queues.test.ts",
    only: "made once by id",
  },
  {
    what: "a record of the future holds up what is behind it",
    file: "services/runtime/examine.ts",
    from: "times.push((next = timestamp > now + SKEW ? next : timestamp));",
    to: "times.push((next = timestamp));",
    test: "test/trouble/records.test.ts",
    only: "future",
  },
  {
    what: "time is what the machine's own clock says",
    file: "services/runtime/clock.ts",
    from: "now: () => Math.floor(ahead + performance.now()),",
    to: "now: () => Date.now(),",
    test: "test/trouble/clock.test.ts",
    only: "",
  },
  {
    what: "what another version wrote is read as if this one had",
    file: "services/runtime/codec.ts",
    from: "return (bytes) => type.fromBuffer(bytes, resolver);",
    to: "return (bytes) => (resolver === null ? null : type.fromBuffer(bytes));",
    test: "test/trouble/upgrade.test.ts",
    only: "",
  },
  {
    what: "who has read a message may be told of it",
    file: "services/inboxes/missed.ts",
    from: `if (sentAt <= readUntil) return "read";`,
    to: "",
    test: "test/judge/agree.test.ts",
    only: "histories: orderly",
  },
  {
    what: "who stood still sends what another may have sent",
    file: "services/runtime/work.ts",
    from: "if (clock.now() >= (leases.get(job) ?? 0) - LEASE_MARGIN)",
    to: "if (!leases.has(job))",
    test: "services/runtime/work.test.ts",
    only: "stood still",
  },
  {
    what: "a connection to Kafka that answers nothing is asked for ever",
    file: "services/runtime/kafka-socket.ts",
    from: `unanswered ??= setTimeout(() => socket.emit("timeout"), SILENCE).unref();`,
    to: "",
    test: "services/runtime/kafka-socket.test.ts",
    only: "doesn't answer",
  },
  {
    what: "a batch that ends early counts for less than it has folded",
    file: "services/runtime/batch.ts",
    from: "endsAt = Math.max(reached, woken?.at ?? -Infinity);",
    to: "endsAt = woken?.at ?? reached;",
    test: "test/flow/missed.test.ts",
    only: "falls due in a backlog",
  },
  {
    what: "of what has come at once some is taken and not folded",
    file: "services/runtime/turn.ts",
    from: "isAtOnce ? tenure.held.due(Infinity, Infinity) : tenure.held.due(last, tenure.room)",
    to: "tenure.held.due(isAtOnce ? Infinity : last, tenure.room)",
    test: "test/flow/missed.test.ts",
    only: "as they come",
  },
];
