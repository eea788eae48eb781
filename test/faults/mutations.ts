import { engineMutations } from "./engine-mutations.ts";

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
  ...engineMutations,
  {
    what: "ids are drawn, not derived",
    file: "services/platform/contract/identity.ts",
    from: "export const derivedId = (...parts: readonly (string | number)[]): string => {",
    to: "export const derivedId = (...parts: readonly (string | number)[]): string => {\n  parts = [...parts, Math.random()];",
    test: "test/flow/chaos.test.ts",
    only: "whatever crashes",
  },
  {
    what: "who has read a message may be told of it",
    file: "services/inboxes/missed.ts",
    from: `if (sentAt <= readUntil) return "read";`,
    to: "",
    test: "test/oracle/agree.test.ts",
    only: "orderly",
  },
  {
    what: "a letter of a backlog doesn't wait for what its recipient has read",
    file: "services/mailer/settle.ts",
    from: "loggedAt - event.occurredAt > LATE;",
    to: "loggedAt - event.occurredAt > LATE * Infinity;",
    test: "test/flow/backlog.test.ts",
    only: "before all of it is known",
  },
  {
    what: "a letter doesn't wait for what people have chosen before it",
    file: "services/mailer/work.ts",
    from: "!(await hasChoicesOf(loggedAt)) ||",
    to: "((await hasChoicesOf(loggedAt)) && false) ||",
    test: "services/mailer/work.test.ts",
    only: "every choice",
  },
  {
    what: "a switch forgets what live had yet to say",
    file: "services/ops/rebuild/switch.ts",
    from: "rows: [], outbox: carried.outbox, jobs: [] };",
    to: "rows: [], outbox: [], jobs: [] };",
    test: "test/flow/switch.test.ts",
    only: "stands still",
  },
  {
    what: "rows that differ count as the same",
    file: "services/ops/rebuild/rows.ts",
    from: "=> isDeepStrictEqual(live, rebuilt);",
    to: "=> isDeepStrictEqual(live, rebuilt) || live !== rebuilt;",
    test: "test/flow/switch.test.ts",
    only: "a row that is wrong",
  },
];
