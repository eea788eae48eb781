/**
 * The ledger beside the judge's accounts. A verdict stands until there is another about the same message, and had its reason
 * when it was made. So at the end of every instant
 * - what stands as missed is what is missed;
 * - the last verdict of that instant about a message says what became of it: missed, or not, for a reason that is one (of
 *   the very moment by which it was missed until then);
 * - where a message was sent, or newly mentions the user, since the instant before, or they turn out to have taken part then,
 *   there is a verdict on that; none need be where they took no part;
 * - dropped is what was missed until then, rejected what was not, or not by the moment that the verdict is on;
 * - what holds a conversation in which something is missed is what the ledger said last.
 * What it says in between, within one instant, doesn't count. Where several records become known at once and one of them is
 * late, a verdict may have had its reason in between: there, only what is missed and what holds it is compared.
 */
import type { LedgerEntry } from "../../services/domain/records.ts";
import type { Account, Triggered } from "./judge.ts";
import type { Ledger, Page } from "./ledger.ts";
import type { Reason, Standing } from "./missed.ts";
import type { Held } from "./when.ts";

/** What came of one user's case. */
export interface Compared {
  readonly judged: readonly Triggered[];
  /** How many accounts there were. */
  readonly accounts: number;
  /** Where the ledger says otherwise than they do; in words. */
  readonly differences: readonly string[];
}

/**
 * Compares what the ledger says of a user with the judge's accounts of them, which are in order.
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

/** Where a page says otherwise than an account. @param before the one before; null where reasons aren't compared */
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

/** What of a message's verdicts at an instant isn't so. */
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
