/**
 * Compares the ledger with the judge's accounts. A verdict stands until the next about the same message, and its reason
 * held when it was made. At the end of every instant:
 * - the messages that stand as missed are those the judge calls missed;
 * - the last verdict of the instant about a message is right: missed, or not missed for a reason that holds, of the
 *   moment by which it was missed until then;
 * - a message that was sent, or newly mentions the user, since the instant before has a verdict on that, and so has a
 *   message of a time at which the user turns out to have taken part. Where the user took no part, none is needed;
 * - DROPPED is for a message that was missed until then; REJECTED is for one that was not, or not by the moment of
 *   the verdict;
 * - the reason that holds a conversation with missed messages is the ledger's last. Verdicts in the middle of an
 *   instant don't count. Where several records become known at once and one of them is late, a verdict's reason may
 *   have held in the middle alone: only missed messages and holding reasons are compared there.
 */
import type { LedgerEntry } from "../../services/domain/records.ts";
import type { Account, Triggered } from "./judge.ts";
import type { Ledger, Page } from "./ledger.ts";
import type { Reason, Standing } from "./missed.ts";
import type { Held } from "./when.ts";

/** The outcome of comparing one user. */
export interface Compared {
  readonly judged: readonly Triggered[];
  /** Number of accounts. */
  readonly accounts: number;
  /** Differences between ledger and accounts, in words. */
  readonly differences: readonly string[];
}

/**
 * Compares a user's ledger with the judge's accounts, which are in order.
 * @param tangled instants at which several records become known, one of them late
 */
export function compared(
  ledger: Ledger,
  accounts: Iterable<Account>,
  tangled: ReadonlySet<number> = new Set(),
): Compared {
  const judged: Triggered[] = [];
  const differences: string[] = [];
  let count = 0;
  let latest: Account = { userId: "", at: -Infinity, triggered: [], standings: new Map(), held: new Map() };
  const compare = (at: number, account: Account): void => {
    for (const difference of between(ledger.page(at), account, tangled.has(at) ? null : latest))
      differences.push(`${account.userId} at ${at}: ${difference}`);
  };
  for (const account of accounts) {
    while (ledger.next() < account.at) compare(ledger.next(), latest);
    compare(account.at, account);
    judged.push(...account.triggered);
    count++;
    latest = account;
  }
  while (ledger.next() < Infinity) compare(ledger.next(), latest);
  return { judged, accounts: count, differences };
}

/**
 * Yields the differences between a page and an account. @param before the account before; null where reasons aren't
 * compared
 */
function* between(page: Page, account: Account, before: Account | null): Generator<string> {
  const { said, stands, missed, held } = page;
  for (const [name, standing] of account.standings) {
    if (standing.since !== null && missed.get(standing.conversationId)?.has(name) !== true)
      yield `${name}: missed, but not by the ledger`;
    if (before === null) continue;
    const complaint = ofMessage(standing, said.get(name) ?? [], stands.get(name), before.standings.get(name));
    if (complaint !== null) yield `${name}: ${complaint}`;
  }
  for (const name of [...missed.values()].flatMap((names) => [...names]))
    if ((account.standings.get(name)?.since ?? null) === null) yield `${name}: missed by the ledger alone`;
  for (const name of said.keys()) if (!account.standings.has(name)) yield `${name}: there is nothing to judge`;
  for (const [conversation, reasons] of account.held) {
    const reason = held.get(conversation) ?? null;
    if (!reasons.includes(reason as Held)) yield `${conversation}: held by ${reasons.join(" or ")}, not ${reason}`;
  }
}

/** Describes an error in a message's verdicts of an instant; null where there is none. */
function ofMessage(
  { moments, since }: Standing,
  said: readonly LedgerEntry[],
  stands: LedgerEntry | undefined,
  before: Standing | undefined,
): string | null {
  const [latest, known] = [moments.at(-1), before?.moments.at(-1)];
  const wasMissed = before !== undefined && before.since !== null;
  const isSaid = (...verdicts: readonly LedgerEntry["verdict"][]): boolean =>
    said.some(({ verdict }) => verdicts.includes(verdict));
  const wasMissedByLatest = wasMissed && before.since === latest?.record.time;
  if (wasMissedByLatest && isSaid("REJECTED") && !isSaid("DROPPED", "TRIGGERED"))
    return "rejected, though it was missed";
  if (!wasMissed && isSaid("DROPPED") && !isSaid("CANDIDATE")) return "dropped, though it was not missed";

  const last = said.at(-1);
  if (last !== undefined) {
    const missedBy = last.verdict === "DROPPED" ? moments.filter(({ record }) => record.time === before?.since) : [];
    const reasons = (missedBy.length > 0 ? missedBy : moments).flatMap((moment) => moment.reasons);
    if (!isSo(last, since, reasons)) return `${inWords(last)}, where it is ${reasons.join(" or ") || "missed"}`;
  }
  if (latest === undefined || !latest.isParticipant) return null;
  if (latest.record === known?.record && !known.reasons.includes("not_participant")) return null;
  const verdicts = said.length > 0 || stands === undefined ? said : [stands];
  if (verdicts.some((entry) => isSo(entry, since, latest.reasons))) return null;
  return `${verdicts.map(inWords).join(", ") || "no verdict"}, where it is ${latest.reasons.join(" or ") || "missed"} now`;
}

function isSo(entry: LedgerEntry, since: number | null, reasons: readonly Reason[]): boolean {
  return entry.verdict === "CANDIDATE" ? since !== null : since === null && reasons.includes(reasonOf(entry) as Reason);
}

function reasonOf({ verdict, reason }: LedgerEntry): string | null {
  return verdict === "TRIGGERED" ? "told" : reason;
}

function inWords(entry: LedgerEntry): string {
  return `${entry.verdict} ${reasonOf(entry)}`;
}
