import { Command } from "commander";
import { Fatal, messageOf } from "../../platform/contract/failure.ts";
import type { CommonSettings } from "../../platform/app/serve.ts";
import { isEqual } from "./compare.ts";
import { progressBar } from "./progress.ts";
import { reportOf, switchedLine } from "./report.ts";
import { rebuild, type Rebuilt } from "./run.ts";

/** Exit codes: 0 equal or switched over; 1 different; 2 misused or failed; 130 stopped by a signal. */
const DIFFERENT = 1;
const FAILED = 2;
const STOPPED = 130;

const DETAILS = `
The rebuild runs the services' code in this process, from the first record of the chat's topics. It has topics, consumer
groups and a PostgreSQL schema (whileaway_rebuild) of its own, and deletes them afterwards. It mails and posts nothing,
and writes nothing to the live topics. The live services may go on meanwhile. If they are stopped, their decisions so far
are compared. The database's user must be allowed to create and delete a schema, and the Kafka user topics.

compared       every row of both states: conversations, inboxes, and people's preferences about their mail; rows that
               change meanwhile are read again
told by ...    notifications (TRIGGERED) that only one of the two has decided

--switch puts the rebuilt state in place of the live one, after the report. The live services' commits wait for a second
or two, and go on with the new state by themselves. No notification is repeated, and none is sent for a past time that
the rebuild alone decided. Notifications that live had not reached yet are sent. Read the report without --switch first.

Exit codes: 0 equal or switched over; ${DIFFERENT} different; ${FAILED} misused or failed; ${STOPPED} stopped by a signal.`;

interface Options {
  readonly switch?: boolean;
  readonly json?: boolean;
}

/** `ops rebuild`. @param say takes one line of the answer */
export const rebuildCommand = (settings: () => CommonSettings, say: (line: string) => void = console.log): Command =>
  new Command("rebuild")
    .description("folds everything again from the topics beside the live state, sends nothing, and compares")
    .option("--switch", "then puts the rebuilt state in place of the live one")
    .option("--json", "prints JSON")
    .addHelpText("after", DETAILS)
    .showHelpAfterError("usage: ops rebuild --help")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : FAILED))
    .action(async ({ switch: isToSwitch = false, json = false }: Options) => {
      process.exitCode = await inProcess((signal) => answer(settings(), { isToSwitch, json }, signal, say));
    });

const answer = async (
  settings: CommonSettings,
  { isToSwitch, json }: { readonly isToSwitch: boolean; readonly json: boolean },
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<number> => {
  using progress = progressBar(process.stderr);
  const found: Rebuilt[] = [];
  const compared = (rebuilt: Rebuilt): void => {
    found.push(rebuilt);
    if (!json) for (const line of reportOf(rebuilt)) say(line);
  };
  const switched = await rebuild(settings, { isToSwitch, progress, compared, signal });
  const [rebuilt] = found;
  if (rebuilt === undefined) throw new Fatal("the rebuild has compared nothing");
  if (json) say(JSON.stringify({ isEqual: isEqual(rebuilt), ...rebuilt, switched }, null, 2));
  else if (switched !== null) say(switchedLine(switched));
  return switched !== null || isEqual(rebuilt) ? 0 : DIFFERENT;
};

/** Ends the run, with its clean-up, at SIGINT or SIGTERM; a second signal ends the process. */
const inProcess = async (run: (signal: AbortSignal) => Promise<number>): Promise<number> => {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Fatal("stopped"));
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, onSignal);
  try {
    return await run(stop.signal);
  } catch (error) {
    console.error(`ops rebuild: ${messageOf(error)}`);
    return stop.signal.aborted ? STOPPED : FAILED;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
};
