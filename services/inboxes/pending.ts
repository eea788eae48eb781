import type { ConversationId } from "../core/ids.ts";
import { nextChange, type SettingsBook, type SettingsFields } from "../core/settings.ts";
import type { Millis } from "../core/time.ts";
import type { Draft } from "./draft.ts";
import { nextLapse, whereabouts } from "./sessions.ts";
import { MAX_TOLD_TIMES_OF_USER, type Open, type PendingRow, type ThreadRow } from "./state.ts";
import { holdOf } from "./when.ts";

/** What one event changed of what is pending. */
export interface Changes {
  /** Conversations whose thread is another now. */
  readonly touched: ReadonlySet<ConversationId>;
  /** Notifications that went out now. */
  readonly told: number;
  /** When the user read something, by this event. */
  readonly readAt: Millis | null;
  readonly isPresenceChanged: boolean;
}

const openOf = ({ open }: PendingRow, conversation: ConversationId): Open | undefined =>
  Object.hasOwn(open, conversation) ? open[conversation] : undefined;

/** The saved row with what the other rows say by now, but for why each conversation is held. */
export const current = (it: Draft, saved: PendingRow, changes: Changes): PendingRow => {
  const { touched, told, readAt, isPresenceChanged } = changes;
  const user = it.profile()?.user;
  const presence = it.presence();
  const isStill = !isPresenceChanged && saved.asOf > 0 && (nextLapse(presence) ?? Infinity) > it.now;
  const { isOnline, awaySince, screens } = isStill ? saved : whereabouts(presence, it.now);
  const times = Array.from({ length: told }, () => it.now);
  // A reading before the first notification starts nothing over.
  const isBack = readAt !== null && saved.told.length > 0 && readAt > (saved.readAt ?? -Infinity);
  return {
    ...saved,
    isOnline,
    awaySince,
    screens,
    signAt: presence.signAt,
    role: user?.role ?? null,
    timezone: user?.timezone ?? null,
    told: told === 0 ? saved.told : [...saved.told, ...times].slice(-MAX_TOLD_TIMES_OF_USER),
    readAt: isBack ? readAt : saved.readAt,
    open: withTouched(it, saved, touched),
  };
};

const withTouched = (it: Draft, saved: PendingRow, touched: ReadonlySet<ConversationId>): PendingRow["open"] => {
  let open = saved.open;
  for (const conversation of touched) {
    const summary = summaryOf(it.thread(conversation), openOf(saved, conversation));
    if (summary !== null) open = { ...open, [conversation]: summary };
    else if (Object.hasOwn(open, conversation))
      open = Object.fromEntries(Object.entries(open).filter(([each]) => each !== conversation));
  }
  return open;
};

const summaryOf = ({ missed, toldAt, readAt }: ThreadRow, before: Open | undefined): Open | null => {
  const [first, last] = [missed[0], missed.at(-1)];
  if (first === undefined || last === undefined) return null;
  return {
    first: first.since,
    last: last.since,
    told: toldAt,
    readAt,
    held: before?.held ?? null,
    until: before?.until ?? null,
  };
};

/** The row to save; null where it need not change. @param isDue time alone may have changed something */
export const settled = (
  it: Draft,
  saved: PendingRow | undefined,
  changes: Changes,
  isDue: boolean,
  book: SettingsBook,
): PendingRow | null => {
  if (saved === undefined && changes.touched.size === 0) return null;
  const row = it.pending();
  if (saved === undefined && isEmpty(row)) return null;
  const settings = it.settings();
  const isRevised = (nextChange(book, saved?.asOf ?? it.now) ?? Infinity) <= it.now;
  const isSame = saved !== undefined && !isRevised && isSameForUser(saved, row, settings);
  if (isSame && !isDue && changes.touched.size === 0) return null;
  const isToLookAt = (conversation: ConversationId, { until }: Open): boolean =>
    !isSame || changes.touched.has(conversation) || (isDue && until !== null && until <= it.now);
  const open = lookedAt(it, row, isToLookAt, settings);
  return { ...row, asOf: it.now, open, next: earliest(open) };
};

const isEmpty = ({ open, told }: PendingRow): boolean => told.length === 0 && Object.keys(open).length === 0;

/** Whether nothing that concerns all conversations alike is another now. */
const isSameForUser = (before: PendingRow, after: PendingRow, settings: SettingsFields): boolean =>
  before.isOnline === after.isOnline &&
  before.awaySince === after.awaySince &&
  before.role === after.role &&
  before.timezone === after.timezone &&
  before.readAt === after.readAt &&
  (before.told === after.told || (settings.dailyCap === null && settings.group === "conversation")) &&
  (before.signAt === after.signAt || !startsOver(before, after)) &&
  before.screens.length === after.screens.length &&
  before.screens.every((screen, index) => screen === after.screens[index]);

/** A sign only matters after a notification. */
const startsOver = (before: PendingRow, { signAt, told, open }: PendingRow): boolean => {
  const isPassed = (time: Millis): boolean => time >= (before.signAt ?? -Infinity) && time < (signAt ?? -Infinity);
  return told.some(isPassed) && Object.keys(open).length > 0;
};

/** Looks whether and why conversations are held. A reason that is new goes on record. */
const lookedAt = (
  it: Draft,
  row: PendingRow,
  isToLookAt: (conversation: ConversationId, open: Open) => boolean,
  settings: SettingsFields,
): PendingRow["open"] => {
  let open = row.open;
  for (const [conversation, one] of Object.entries(row.open)) {
    if (!isToLookAt(conversation, one)) continue;
    const hold = holdOf(row, conversation, one, settings, it.now);
    const held = hold?.reason ?? null;
    const until = hold === null ? it.now : hold.until;
    if (hold !== null && held !== one.held)
      it.note({
        verdict: "HELD",
        reason: held,
        conversationId: conversation,
        until,
        facts: factsOf(row, one),
      });
    if (held === one.held && until === one.until) continue;
    if (open === row.open) open = { ...row.open };
    Object.defineProperty(open, conversation, { value: { ...one, held, until }, enumerable: true, configurable: true });
  }
  return open;
};

const factsOf = ({ awaySince }: PendingRow, { first, last }: Open): Readonly<Record<string, string>> => ({
  first: String(first),
  last: String(last),
  ...(awaySince === null ? {} : { awaySince: String(awaySince) }),
});

const earliest = (open: PendingRow["open"]): Millis | null => {
  let next: Millis | null = null;
  for (const { until } of Object.values(open)) if (until !== null && (next === null || until < next)) next = until;
  return next;
};

/** When the row is to be looked at again: by its own conditions, or by other settings. */
export const nextLook = (row: PendingRow, book: SettingsBook): Millis | null => {
  const change = Object.keys(row.open).length > 0 ? nextChange(book, row.asOf) : null;
  return change !== null && (row.next === null || change < row.next) ? change : row.next;
};
