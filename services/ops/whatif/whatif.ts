import { fork } from "node:child_process";
import { accessSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { Command, InvalidArgumentError } from "commander";
import { checkId } from "../../platform/contract/identity.ts";
import { Fatal, messageOf, Poison } from "../../platform/contract/failure.ts";
import {
  DEFAULT_ROLE,
  isSettingField,
  parseSettings,
  settingFieldList,
  type SettingsFields,
} from "../../domain/role-settings.ts";
import { MAX_TIME, type Millis, MINUTE, SECOND } from "../../platform/contract/time.ts";
import { compared, type Outcome, type Roles } from "./compare.ts";
import { isObject } from "../json.ts";
import { knownAssignments } from "../settings/revise.ts";
import { READ_WITHIN } from "./tally.ts";
import { reportOf } from "./whatif-report.ts";
import type { Task } from "./whatif-worker.ts";

interface Options {
  readonly settings: string;
  readonly today?: string;
  readonly from: Millis;
  readonly to: Millis;
  readonly trace?: string;
  readonly json?: boolean;
}

/** Exit codes: 0 compared, 1 failed, 2 wrong input. */
const WRONG = 2;

const DETAILS = `
The settings file is JSON: {"role": {fields}, …}, or {fields} for the role default. Fields are those of \`ops settings\`:
${settingFieldList}.
A field that is left out has its default; an unknown field is refused. The settings hold for these roles from the
beginning, in place of the settings in the log. Other roles keep the settings in the log.

notifications      notifications within the stretch
mails              one for each address of a notified user that wants mail
waited             from the moment at which the first message was missed to the notification
messages notified  messages that notifications show or count
read anyway        messages of these that the recipient reads, or answers by writing in the conversation, within
                   ${READ_WITHIN / MINUTE} minutes after the notification
Records before --from are folded but not counted, so that the stretch begins with the right state.

Exit codes: 0 compared; 1 failed; ${WRONG} misused, a file can't be read, or settings are wrong.`;

const ISO_DATE = /^(\d{4}|[+-]\d{6})-\d\d/;

const time = (text: string): Millis => {
  const at = /^\d+$/.test(text) ? Number(text) : ISO_DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError("neither an ISO 8601 time nor milliseconds since the epoch");
  if (at > MAX_TIME) throw new InvalidArgumentError(`beyond the range of dates: at most ${MAX_TIME} milliseconds`);
  return at;
};

/** `ops whatif`. */
export const whatifCommand = (say: (line: string) => void = console.log): Command =>
  new Command("whatif")
    .description("runs the rule over a stretch of the log with other settings, in memory, and compares with today's")
    .requiredOption("--settings <file>", "the other settings, JSON")
    .requiredOption("--from <time>", "beginning of the stretch, an ISO 8601 time or milliseconds", time)
    .requiredOption("--to <time>", "end of the stretch", time)
    .option("--today <file>", "settings in place of today's, JSON; else those of the log, or the defaults for a trace")
    .option("--trace <file>", "a recorded chat's timing (a .csv.gz) instead of the log")
    .option("--json", "prints JSON")
    .addHelpText("after", DETAILS)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG))
    .action(async (options: Options, command: Command) => {
      const { from, to, trace, json } = options;
      const sides = sidesOf(options, command);
      const begun = performance.now();
      const [now, then] = await Promise.all(sides.map((roles) => inWorker({ from, to, roles, trace: trace ?? null })));
      if (now === undefined || then === undefined) return;
      const comparison = { from, to, seconds: (performance.now() - begun) / SECOND, ...compared(now, then) };
      for (const line of json ? [JSON.stringify(comparison, null, 2)] : reportOf(comparison)) say(line);
    });

/** Reads today's settings and the other settings. Ends the process if input is wrong. */
const sidesOf = ({ settings, today, from, to, trace }: Options, command: Command): readonly [Roles, Roles] => {
  try {
    if (from >= to) throw new Poison("--from is not before --to: give an earlier --from or a later --to");
    if (trace !== undefined) accessSync(trace);
    return [today === undefined ? new Map<string, never>() : rolesOf(today), rolesOf(settings)];
  } catch (error) {
    return command.error(`error: ${messageOf(error)}`);
  }
};

/**
 * Options of a worker's garbage collector. It uses one thread, because helper threads of two workers would compete for the
 * processors. Its young generation is large (MiB), because objects of one window live no longer than the window.
 */
const COLLECTOR = ["--single-threaded-gc", "--min-semi-space-size=32"];

/** Folds one side's records in a process of its own. Throws Fatal if the process ends without an answer. */
const inWorker = async (task: Task): Promise<Outcome> => {
  const worker = fork(new URL("whatif-worker.ts", import.meta.url), {
    execArgv: [...process.execArgv, ...COLLECTOR],
    serialization: "advanced",
  });
  worker.send(task);
  const [answer] = (await Promise.race([once(worker, "message"), once(worker, "exit")])) as [Outcome | number | null];
  if (typeof answer !== "object" || answer === null)
    throw new Fatal("the process that folds the records has failed: see its error above");
  return answer;
};

/** Reads settings by role from a file. Throws Poison with each wrong field, and the errors of the file system. */
const rolesOf = (file: string): Roles => {
  const text = readFileSync(file, "utf8");
  try {
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, "")); // a byte order mark
    if (!isObject(json)) throw new Poison("not an object of settings, or of settings by role");
    const isOfDefault = Object.keys(json).some(isSettingField);
    const roles = isOfDefault ? { [DEFAULT_ROLE]: json } : json;
    return new Map(Object.entries(roles).map(([role, fields]) => [checkId(role, "a role"), fieldsOf(role, fields)]));
  } catch (error) {
    throw new Poison(`${file}: ${messageOf(error)}`);
  }
};

const fieldsOf = (role: string, fields: unknown): SettingsFields => {
  if (!isObject(fields))
    throw new Poison(`${role}: neither a setting nor a role with an object of settings: ${knownAssignments}`);
  try {
    return parseSettings(fields);
  } catch (error) {
    throw new Poison(`role ${role}: ${messageOf(error)}; settings are ${knownAssignments}`);
  }
};
