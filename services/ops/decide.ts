import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "commander";
import { conversations } from "../conversations/rule.ts";
import type { LogRecord } from "../domain/log-record.ts";
import { messageOf } from "../platform/contract/failure.ts";
import type { LedgerEntry } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";
import { inboxes } from "../inboxes/rule.ts";
import { mailer } from "../mailer/rule.ts";
import { drive, type Driver, type Flow, part } from "../platform/simulation/driver.ts";
import { type History, readHistory } from "./history.ts";

/** Lines that are named when they are wrong. */
const MAX_NAMED = 20;
/** Exit code where lines are wrong. */
const WRONG = 2;
/** Characters that are written at once. */
const CHUNK = 65_536;

/** Where the command's answer goes. */
export interface Out {
  line(text: string): void;
  complaint(text: string): void;
}

/** Starts the rules of all that decides, from chat to letters, over rows in memory. */
export const deciders = (hearing: Omit<Flow, "parts">): Driver =>
  drive({ parts: [part(conversations), part(inboxes), part(mailer)], ...hearing });

/** Folds a history until that time, the timers of which fire, too, and says each event or verdict as a line of JSON. */
export const decide = ({ records, lines }: History, until: Millis, isLedger: boolean, out: Out): void => {
  const noted = (entry: LedgerEntry): void => {
    for (const user of entry.users) out.line(JSON.stringify({ ...entry, users: [user] }));
  };
  const published = ({ topic, value }: LogRecord): void => {
    if (topic === "notifications") out.line(JSON.stringify(value));
  };
  const refused: Flow["refused"] = (record, processor, error) => {
    const line = lines.get(record);
    out.complaint(`${line === undefined ? "" : `line ${line}: `}${processor} can't take it: ${messageOf(error)}`);
  };
  const hearing = isLedger ? { noted, refused } : { published, refused };
  const driver = deciders(hearing);
  for (const record of records) if (record.loggedAt <= until) driver.feed(record);
  driver.advance(until);
};

const millis = (given: string): Millis => {
  if (!/^\d+$/.test(given)) throw new InvalidArgumentError("not milliseconds since the epoch");
  return Number(given);
};

const DETAILS = `
A line of the file is a record of the log:
  {"topic": "chat.messages", "at": milliseconds, "key": "…", "value": {…} or null}
\`at\` is the record's timestamp; lines may be in any order, those of one time are taken as the rule says. The value is
the record by its schema (schemas/*.avsc), with enums as strings and times in milliseconds; a field that has a default
may be left out, one that isn't known is ignored, null is a tombstone. Topics: chat.messages, chat.participants,
chat.conversations, chat.presence, chat.users, notification.settings (key: the role), notification.preferences.
Nothing is printed before every line has been checked; where one is wrong, it is named and the exit code is ${WRONG}.`;

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
    .action(async (file: string, { until, ledger = false }: { until: Millis; ledger?: boolean }) => {
      const input = file === "-" ? process.stdin : createReadStream(file);
      const history = await readHistory(linesOf(input));
      const { problems } = history;
      if (problems.length > 0) {
        for (const problem of problems.slice(0, MAX_NAMED)) console.error(problem);
        if (problems.length > MAX_NAMED) console.error(`and ${problems.length - MAX_NAMED} more lines are wrong`);
        process.exitCode = WRONG;
        return;
      }
      const out = buffered();
      decide(history, until, ledger, out);
      out.end();
    });

async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  yield* createInterface({ input, crlfDelay: Infinity });
}

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
