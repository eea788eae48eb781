import { Command } from "commander";
import { laneOf } from "../../platform/contract/lane.ts";
import type { LedgerEntry, NotificationEvent } from "../../domain/records.ts";
import { withCommandDeps, type CommandDeps, type OpenCommandDeps } from "../command-deps.ts";
import { readWhole } from "../read.ts";
import { nothingKnown, type Question, story, storyLines, type Told } from "./story.ts";

/** Reads everything on record that answers the question, in the order of time. */
export const why = async (deps: CommandDeps, question: Question): Promise<readonly Told[]> => {
  const entries: LedgerEntry[] = [];
  for await (const { value } of readWhole(deps, "ledger", await laneOfUser(deps, question.user)))
    entries.push(...(value?.entries ?? []).filter(({ users }) => users.includes(question.user)));
  const isTold = entries.some(({ notificationId }) => notificationId !== null);
  return story(question, entries, isTold ? await eventsOf(deps, question) : []);
};

/** Partition of the verdicts about a user: the user's lane; undefined: the topics have different numbers of partitions. */
const laneOfUser = async ({ log }: CommandDeps, user: string): Promise<number | undefined> => {
  const count = await log.partitions("ledger");
  return count === (await log.partitions("inbox")) ? laneOf(user, count) : undefined;
};

const eventsOf = async (deps: CommandDeps, { user }: Question): Promise<readonly NotificationEvent[]> => {
  const partition = laneOf(user, await deps.log.partitions("notifications"));
  const events: NotificationEvent[] = [];
  for await (const { value } of readWhole(deps, "notifications", partition))
    if (value?.userId === user) events.push({ ...value, snapshot: null });
  return events;
};

interface Options extends Question {
  readonly json?: boolean;
}

/** `ops why`. @param say takes one line of the answer */
export const whyCommand = (open: OpenCommandDeps, say: (line: string) => void = console.log): Command =>
  new Command("why")
    .description("tells why a user did, or didn't, get a mail: every verdict on record, in the order of time")
    .requiredOption("--user <id>", "id of the user")
    .option("--conversation <id>", "only this conversation")
    .option("--message <id>", "only this message")
    .option("--json", "prints JSON")
    .action(async ({ json = false, ...question }: Options) => {
      const told = await withCommandDeps(open, (deps) => why(deps, question));
      const note = told.length === 0 ? { note: nothingKnown(question) } : {};
      const lines = json ? [JSON.stringify({ ...question, ...note, told }, null, 2)] : storyLines(question, told);
      for (const line of lines) say(line);
    });
