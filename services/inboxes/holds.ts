import { nextChange, type SettingsBook, type SettingsFields } from "../domain/role-settings.ts";
import type { MessageId } from "../domain/ids.ts";
import { HOUR, type Millis } from "../platform/contract/time.ts";
import { type Held, type Inbox, MAX_TOLD_TIMES, MAX_TOLD_TIMES_OF_USER, type Thread } from "./state.ts";
import { markStanding, note, settingsOf, type Draft } from "./draft.ts";
import { holdOf, zoneOf } from "./when.ts";

/** No local day is longer, so an older notification counts for no daily cap. */
const LONGEST_DAY: Millis = 26 * HOUR;

/** Records the time of a notification, and rechecks all threads where that bears on them. */
export const onTold = (draft: Draft): void => {
  const { inbox, now } = draft;
  const { told } = inbox;
  let surplus = 0;
  while (surplus < told.length - MAX_TOLD_TIMES && (told[surplus] ?? 0) <= now - LONGEST_DAY) surplus++;
  surplus = Math.max(surplus, told.length - MAX_TOLD_TIMES_OF_USER + 1);
  if (surplus > 0) told.splice(0, surplus);
  told.push(now);
  const { dailyCap, group } = settingsOf(draft);
  if (dailyCap !== null || group === "recipient") draft.recheckAll = true;
};

/** Records that the user read something. Before the first notification there is no cooldown to start over. */
export const onRead = (draft: Draft, at: Millis): void => {
  const { inbox } = draft;
  if (inbox.told.length === 0 || at <= (inbox.readAt ?? -Infinity)) return;
  inbox.readAt = at;
  markStanding(draft);
  if (settingsOf(draft).group === "recipient") draft.recheckAll = true;
};

/** Tells whether the hold of every open thread must be computed anew: also where the settings have changed since. */
export const mustRecheckAll = ({ recheckAll, book, since, now }: Draft): boolean =>
  recheckAll || (nextChange(book, since) ?? Infinity) <= now;

/**
 * Computes anew the hold of each open thread that may have changed.
 * @param isDue a timer has fired, so holds may have ended
 */
export const updateHolds = (draft: Draft, isDue: boolean): void => {
  const { inbox, now, changedThreads } = draft;
  if (inbox.open.size === 0) {
    setNextCheck(draft, null);
    return;
  }
  const settings = settingsOf(draft);
  const isAll = mustRecheckAll(draft);
  let { next } = inbox;
  if (isAll || isDue) {
    next = null;
    for (const thread of inbox.open) {
      const isDueNow = isDue && thread.until !== null && thread.until <= now;
      if (isAll || isDueNow || changedThreads.includes(thread)) updateHold(draft, thread, settings);
      next = sooner(next, thread.until);
    }
  } else
    for (const thread of changedThreads) {
      if (thread.missed.length === 0) continue; // its timer may still fire, in vain
      updateHold(draft, thread, settings);
      next = sooner(next, thread.until);
    }
  setNextCheck(draft, next);
};

/** Sets the time before which no open thread needs a check. */
const setNextCheck = (draft: Draft, next: Millis | null): void => {
  if (next === draft.inbox.next) return;
  draft.inbox.next = next;
  markStanding(draft);
};

/** Computes the hold of a thread, and notes a HELD verdict where its reason is new. */
const updateHold = (draft: Draft, thread: Thread, settings: SettingsFields): void => {
  const { inbox, now } = draft;
  const hold = holdOf(inbox, thread, settings, now);
  const reason = hold?.reason ?? null;
  const until = hold === null ? now : hold.until;
  const isNew = reason !== null && reason !== thread.held;
  if (reason !== thread.held || until !== thread.until) markStanding(draft);
  thread.held = reason;
  thread.until = until;
  if (!isNew) return;
  const { conversationId } = thread;
  note(draft, {
    verdict: "HELD",
    reason,
    conversationId,
    messageIds: noIds,
    notificationId: null,
    until,
    facts: { ...timeFacts(inbox, thread), ...settingFacts(inbox, thread, settings, reason) },
    occurredAt: now,
  });
};

const noIds: readonly MessageId[] = [];

const timeFacts = ({ awaySince }: Inbox, { missed }: Thread): Readonly<Record<string, string>> => {
  const [first, last] = [String(missed[0]?.since), String(missed[missed.length - 1]?.since)];
  return awaySince === null ? { first, last } : { first, last, awaySince: String(awaySince) };
};

/** The setting behind a hold, and the other facts that the hold goes by. */
const settingFacts = (
  inbox: Inbox,
  { toldAt }: Thread,
  settings: SettingsFields,
  reason: Held,
): Readonly<Record<string, string>> => {
  switch (reason) {
    case "online":
      return {};
    case "timeout":
    case "settle":
      return { [reason]: `${settings[reason]} s` };
    case "cooldown":
      return { toldAt: String((settings.group === "recipient" ? inbox.told : toldAt).at(-1)) };
    case "quiet_hours": {
      const { from = "", to = "" } = settings.quietHours ?? {};
      return { quietHours: `${from}-${to} ${zoneOf(inbox, settings)}` };
    }
    case "daily_cap":
      return { dailyCap: `${settings.dailyCap} a day` };
  }
};

/** The earlier of two times, where null is never. */
export const sooner = (a: Millis | null, b: Millis | null): Millis | null =>
  a === null || (b !== null && b < a) ? b : a;

/** The next time at which an open thread needs a check: its hold may end, or the settings change. */
export const nextCheck = ({ open, next, asOf }: Inbox, book: SettingsBook): Millis | null =>
  open.size === 0 ? null : sooner(next, nextChange(book, asOf));
