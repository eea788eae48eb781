import { product } from "../../domain/topics.ts";
import { createReadStream } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { conversations } from "../../conversations/rule.ts";
import type { LogRecord } from "../../domain/log-record.ts";
import { messageOf } from "../../platform/contract/failure.ts";
import type { LedgerEntry } from "../../domain/records.ts";
import { MAX_TIME, type Millis } from "../../platform/contract/time.ts";
import { inboxes } from "../../inboxes/rule.ts";
import { mailer } from "../../mailer/rule.ts";
import { drive, type Driver, type Flow, part } from "../../platform/simulation/driver.ts";
import { type History, readHistory } from "./history.ts";
import { textLines } from "./text-lines.ts";

/** Limit of wrong lines named, and of lines named for an unknown field. */
const MAX_NAMED = 20;
/** Exit codes: 0 decided, 1 failed, 2 wrong input. */
const WRONG = 2;
/** Characters written at once. */
const CHUNK = 65_536;

/** Output of the command. */
export interface Out {
  line(text: string): void;
  complaint(text: string): void;
}

/** Starts every rule that decides, from the chat to letters, over rows in memory. */
export const deciders = (hearing: Omit<Flow, "parts" | "product">): Driver =>
  drive({ product, parts: [part(conversations), part(inboxes), part(mailer)], ...hearing });

/** Folds a history up to and with the timers of a time, and writes each event or verdict as a line of JSON. */
export const decide = ({ records, lines }: History, until: Millis, isLedger: boolean, out: Out): void => {
  const noted = (entry: object): void => {
    for (const user of (entry as LedgerEntry).users) out.line(JSON.stringify({ ...entry, users: [user] }));
  };
  const published: Flow["published"] = ({ topic, value }) => {
    if (topic === "notifications") out.line(JSON.stringify(value));
  };
  const refused: Flow["refused"] = (record, processor, error) => {
    const line = lines.get(record as LogRecord);
    out.complaint(`${line === undefined ? "" : `line ${line}: `}${processor} can't take it: ${messageOf(error)}`);
  };
  const hearing = isLedger ? { multicast: { ledger: noted }, refused } : { published, refused };
  const driver = deciders(hearing);
  for (const record of records) if (record.loggedAt <= until) driver.feed(record);
  driver.advance(until);
};

const millis = (text: string): Millis => {
  if (!/^\d+$/.test(text) || Number(text) > MAX_TIME)
    throw new InvalidArgumentError(`not whole milliseconds since the epoch, from 0 to ${MAX_TIME}`);
  return Number(text);
};

const DETAILS = `
A line of the file is a record of the log:
  {"topic": "chat.messages", "at": milliseconds, "key": "…", "value": {…} or null}
\`at\` is the record's timestamp; lines may be in any order, those of one time are taken as the rule says. The value is
the record by its schema (schemas/*.avsc), with enums as strings and times in milliseconds; a field that has a default
may be left out, one that isn't known is ignored with a warning, null is a tombstone. Topics: chat.messages,
chat.participants, chat.conversations, chat.presence, chat.users, notification.settings (key: the role),
notification.preferences. Nothing is printed before every line has been checked; a wrong one is named.

Exit codes: 0 decided; 1 failed; ${WRONG} misused, a line is wrong, or the file can't be read.`;

interface Options {
  readonly until: Millis;
  readonly ledger?: boolean;
}

/** `ops decide FILE --until MS`. */
export const decideCommand = (): Command =>
  new Command("decide")
    .description(
      "says what is decided from a history in a file of JSON lines, in memory: nothing runs, nothing is sent",
    )
    .argument("<file>", "the history; - reads standard input")
    .requiredOption("--until <ms>", "the time at which to stop; what is due then is still decided", millis)
    .option("--ledger", "prints the verdicts, one line for each user, instead of the notifications' events")
    .addHelpText("after", DETAILS)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG))
    .action(async (file: string, { until, ledger = false }: Options, command: Command) => {
      const history = await readFrom(file, command);
      const { problems, warnings } = history;
      complain(problems, "lines are wrong");
      complain(warnings, "fields are ignored");
      if (problems.length > 0) {
        process.exitCode = WRONG;
        return;
      }
      const out = buffered();
      decide(history, until, ledger, out);
      out.end();
    });

const STANDARD_INPUT = "-";

/** Ends the process where the file can't be read. */
const readFrom = async (file: string, command: Command): Promise<History> => {
  try {
    return await readHistory(textLines(file === STANDARD_INPUT ? process.stdin : createReadStream(file)));
  } catch (error) {
    if (!isOfFiles(error)) throw error;
    return command.error(
      `error: ${file} can't be read: ${error.message}; name a file of JSON lines, or - for standard input`,
    );
  }
};

const isOfFiles = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && "syscall" in error;

const complain = (lines: readonly string[], more: string): void => {
  for (const line of lines.slice(0, MAX_NAMED)) console.error(line);
  if (lines.length > MAX_NAMED) console.error(`and ${lines.length - MAX_NAMED} more ${more}`);
};

const buffered = (): Out & { readonly end: () => void } => {
  let text = "";
  const end = (): void => {
    process.stdout.write(text);
    text = "";
  };
  return {
    line(line) {
      text += `${line}\n`;
      if (text.length >= CHUNK) end();
    },
    complaint: (line) => console.error(line),
    end,
  };
};
