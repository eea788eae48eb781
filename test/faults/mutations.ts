import { engineMutations } from "./engine-mutations.ts";
import type { Mutation } from "./mutation.ts";

/** Every fault that a test must notice. */
export const mutations: readonly Mutation[] = [
  ...engineMutations,
  {
    what: "ids are random instead of derived",
    file: "services/platform/contract/identity.ts",
    from: "export const derivedId = (...parts: readonly (string | number)[]): string => {",
    to: "export const derivedId = (...parts: readonly (string | number)[]): string => {\n  parts = [...parts, Math.random()];",
    test: "test/flow/chaos.test.ts",
    only: "crashes, fails or is lost",
  },
  {
    what: "a read message is still missed",
    file: "services/inboxes/missed.ts",
    from: `if (sentAt <= readUntil) return "read";`,
    to: "",
    test: "test/oracle/agree.test.ts",
    only: "orderly",
  },
  {
    what: "a mail of a backlog does not wait for its recipient's reads",
    file: "services/mailer/settle.ts",
    from: "loggedAt - event.occurredAt > LATE;",
    to: "loggedAt - event.occurredAt > LATE * Infinity;",
    test: "test/flow/backlog.test.ts",
    only: "before all of it is known",
  },
  {
    what: "a mail does not wait for earlier preferences",
    file: "services/mailer/work.ts",
    from: "!(await hasChoicesOf(loggedAt)) ||",
    to: "((await hasChoicesOf(loggedAt)) && false) ||",
    test: "services/mailer/work.test.ts",
    only: "every choice",
  },
  {
    what: "a switch forgets the live outbox",
    file: "services/ops/rebuild/switch.ts",
    from: "rows: [], outbox: carried.outbox, jobs: [] };",
    to: "rows: [], outbox: [], jobs: [] };",
    test: "test/flow/switch.test.ts",
    only: "are stopped",
  },
  {
    what: "rows that differ count as equal",
    file: "services/ops/rebuild/rows.ts",
    from: "=> isDeepStrictEqual(live, rebuilt);",
    to: "=> isDeepStrictEqual(live, rebuilt) || live !== rebuilt;",
    test: "test/flow/switch.test.ts",
    only: "a row that is wrong",
  },
];
