import { once } from "node:events";
import type { LogRecord, NewRecord } from "../../domain/log-record.ts";
import type { Millis } from "../../platform/contract/time.ts";
import type { TopicId } from "../../domain/topics.ts";
import { type Outcome, outcomeOf, type Roles, type Stretch } from "./compare.ts";
import { withCommandDeps } from "../command-deps.ts";
import { readLog } from "./log-history.ts";
import { openCommandDeps } from "../open-command-deps.ts";
import { readTrace } from "../trace/trace.ts";
import { traceScript } from "../trace/trace-script.ts";

/** Task of a worker of `ops whatif`. The worker answers with an Outcome. */
export interface Task extends Stretch {
  readonly roles: Roles;
  /** A recorded chat's file; null: the log that the environment names. */
  readonly trace: string | null;
}

/** Topics that decide notifications, in the order of their records at one time. */
const TOPICS: readonly TopicId[] = [
  "settings",
  "preferences",
  "users",
  "conversations",
  "participants",
  "presence",
  "messages",
];

async function* fromTrace(file: string): AsyncGenerator<readonly LogRecord[]> {
  const script = traceScript((at: Millis) => at);
  for await (const row of readTrace(file)) {
    const said = script.take(row);
    if (said.length > 0) yield said.map(logged);
  }
  yield script.end().map(logged);
}

/** Makes the record that the log would have, with its own time as the timestamp. */
const logged = ({ topic, key, value }: NewRecord): LogRecord => {
  const at = value !== null && "occurredAt" in value ? value.occurredAt : 0;
  return { topic, key, value, at, loggedAt: at } as LogRecord; // topic and value came together
};

const [{ from, to, roles, trace }] = (await once(process, "message")) as [Task];
const outcome: Outcome =
  trace === null
    ? await withCommandDeps(openCommandDeps, ({ log, codec }) =>
        outcomeOf(readLog(log, codec, TOPICS), { from, to }, roles),
      )
    : await outcomeOf(fromTrace(trace), { from, to }, roles);
process.send?.(outcome);
process.disconnect();
