import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { topics } from "../../services/domain/topics.ts";
import { MAX_LISTED } from "../../services/inboxes/state.ts";
import { readTrace } from "../../services/ops/trace/trace.ts";
import { traceScript } from "../../services/ops/trace/trace-script.ts";
import { afterwards } from "./arbitrary.ts";
import { compared } from "./compare.ts";
import type { Line } from "./history.ts";
import { accounts, type Triggered } from "./judge.ts";
import { concerning } from "./known.ts";
import { ledgerOf } from "./ledger.ts";
import { forgetful } from "./memory.ts";
import { briefly, decided } from "./run.ts";

const corpus = fileURLToPath(new URL("../../../shared/corpora/chat-trace/trace.csv.gz", import.meta.url));
/** Messages of the trace in a test run; all of them with TRACE=whole. */
const MESSAGES = process.env["TRACE"] === "whole" ? Infinity : Number(process.env["TRACE"] ?? 10_000);
/** Milliseconds for judging all of it. */
const PATIENCE = 3_600_000;

const lineOf = ({ topic, key, value }: NewRecord): Line => {
  if (value === null || !("occurredAt" in value)) throw new Error(`the trace has no such record: ${topic} ${key}`);
  return { topic: topics[topic].name, key, value, at: value.occurredAt } as Line;
};

/** The trace as a log: every record at its own time, no edits, no deletions, nobody leaves. */
const linesOfTrace = async (): Promise<Line[]> => {
  const script = traceScript((at) => at);
  const lines: Line[] = [];
  let messages = 0;
  for await (const row of readTrace(corpus)) {
    if (messages++ >= MESSAGES) break;
    lines.push(...script.take(row).map(lineOf));
  }
  return [...lines, ...script.end().map(lineOf)];
};

/** A user who joins at a time takes part in the messages of that time. */
const inOrder = (one: Line, other: Line): number =>
  one.at - other.at || Number(one.topic !== "chat.participants") - Number(other.topic !== "chat.participants");

/** The lines that concern each user. Of the messages, those of conversations in which the user takes part by then. */
const dealt = (lines: readonly Line[]): ReadonlyMap<string, readonly Line[]> => {
  const hands = new Map<string, Line[]>();
  const members = new Map<string, Set<string>>();
  const deal = (user: string, line: Line): void => {
    const hand = hands.get(user);
    if (hand === undefined) hands.set(user, [line]);
    else hand.push(line);
  };
  for (const line of lines.toSorted(inOrder)) {
    if (line.topic === "chat.messages") for (const user of members.get(line.key) ?? []) deal(user, line);
    else if (line.topic === "chat.participants") {
      members.set(line.key, (members.get(line.key) ?? new Set()).add(line.value.userId));
      deal(line.value.userId, line);
    } else if (line.topic !== "chat.conversations") deal(line.key, line);
  }
  return hands;
};

/** A notification lists the latest messages. */
const listed = (one: Triggered): Triggered => ({ ...one, messageIds: one.messageIds.slice(-MAX_LISTED) });

test.skipIf(!existsSync(corpus))(
  "the rule and the judge agree on a real chat's trace (skipped where ../shared/corpora isn't)",
  { timeout: PATIENCE },
  async () => {
    const lines = await linesOfTrace();
    const until = (lines.at(-1)?.at ?? 0) + afterwards;
    const { told, ledger } = decided(lines, until);
    const toldTo = Map.groupBy(told, ({ userId }) => userId);
    const differences: string[] = [];
    let [notifications, verdicts, instants] = [0, 0, 0];
    for (const [userId, hand] of dealt(lines)) {
      const entries = ledger.get(userId) ?? [];
      const its = compared(ledgerOf(entries), accounts(userId, forgetful(concerning(hand, userId)), until));
      differences.push(...its.differences);
      expect(briefly(toldTo.get(userId) ?? [])).toEqual(briefly(its.judged.map(listed)));
      notifications += its.judged.length;
      verdicts += entries.length;
      instants += its.accounts;
    }
    expect(differences).toEqual([]);
    expect([notifications, verdicts]).toEqual([
      told.length,
      [...ledger.values()].reduce((sum, all) => sum + all.length, 0),
    ]);
    console.log(
      `${lines.length} records of the trace, ${notifications} notifications, ${verdicts} verdicts, judged at ${instants} instants: rule and judge agree`,
    );
  },
);
