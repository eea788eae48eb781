import { nextChange, type SettingsBook, type SettingsFields } from "../domain/role-settings.ts";
import type { MessageId } from "../domain/ids.ts";
import { HOUR, type Millis } from "../platform/contract/time.ts";
import { type Held, type Inbox, MAX_TOLD_TIMES, MAX_TOLD_TIMES_OF_USER, type Thread } from "./state.ts";
import { change, note, settingsOf, type Visit } from "./draft.ts";
import { holdOf, zoneOf } from "./when.ts";

/** No local day is longer: what was told before counts for no daily cap. */
const LONGEST_DAY: Millis = 26 * HOUR;

/** The user is told of something. */
export const onTold = (it: Visit): void => {
  const { inbox, now } = it;
  const { told } = inbox;
  let old = 0;
  while (old < told.length - MAX_TOLD_TIMES && (told[old] ?? 0) <= now - LONGEST_DAY) old++;
  old = Math.max(old, told.length - MAX_TOLD_TIMES_OF_USER + 1);
  if (old > 0) told.splice(0, old);
  told.push(now);
  const { dailyCap, group } = settingsOf(it);
  if (dailyCap !== null || group === "recipient") it.isStirred = true;
};

/** The user read something. Before the first notification that starts nothing over. */
export const onRead = (it: Visit, at: Millis): void => {
  const { inbox } = it;
  if (inbox.told.length === 0 || at <= (inbox.readAt ?? -Infinity)) return;
  inbox.readAt = at;
  change(it);
  if (settingsOf(it).group === "recipient") it.isStirred = true;
};

/** Whether all that is open is to be looked at. */
export const isAllToLookAt = ({ isStirred, book, since, now }: Visit): boolean =>
  isStirred || (nextChange(book, since) ?? Infinity) <= now;

/** Looks at why what is open is held, wherever that may be another now. @param isDue time alone may have changed something */
export const settle = (it: Visit, isDue: boolean): void => {
  const { inbox, now, touched } = it;
  if (inbox.open.size === 0) {
    lookAgainAt(it, null);
    return;
  }
  const settings = settingsOf(it);
  const isAll = isAllToLookAt(it);
  let { next } = inbox;
  if (isAll || isDue) {
    next = null;
    for (const thread of inbox.open) {
      const isDueNow = isDue && thread.until !== null && thread.until <= now;
      if (isAll || isDueNow || touched.includes(thread)) lookAt(it, thread, settings);
      next = sooner(next, thread.until);
    }
  } else
    for (const thread of touched) {
      if (thread.missed.length === 0) continue; // if it was the next to be looked at, then in vain
      lookAt(it, thread, settings);
      next = sooner(next, thread.until);
    }
  lookAgainAt(it, next);
};

/** Nothing that is open is to be looked at before. */
const lookAgainAt = (it: Visit, next: Millis | null): void => {
  if (next === it.inbox.next) return;
  it.inbox.next = next;
  change(it);
};

/** Looks whether and why a conversation is held. A reason that is new goes on record. */
const lookAt = (it: Visit, thread: Thread, settings: SettingsFields): void => {
  const { inbox, now } = it;
  const hold = holdOf(inbox, thread, settings, now);
  const reason = hold?.reason ?? null;
  const until = hold === null ? now : hold.until;
  const isNews = reason !== null && reason !== thread.held;
  if (reason !== thread.held || until !== thread.until) change(it);
  thread.held = reason;
  thread.until = until;
  if (!isNews) return;
  const { conversationId } = thread;
  note(it, {
    verdict: "HELD",
    reason,
    conversationId,
    messageIds: noIds,
    notificationId: null,
    until,
    facts: { ...factsOf(inbox, thread), ...settingOf(inbox, thread, settings, reason) },
    occurredAt: now,
  });
};

const noIds: readonly MessageId[] = [];

const factsOf = ({ awaySince }: Inbox, { missed }: Thread): Readonly<Record<string, string>> => {
  const [first, last] = [String(missed[0]?.since), String(missed[missed.length - 1]?.since)];
  return awaySince === null ? { first, last } : { first, last, awaySince: String(awaySince) };
};

/** What of the settings holds it, and what else that goes by. */
const settingOf = (
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

export const sooner = (a: Millis | null, b: Millis | null): Millis | null =>
  a === null || (b !== null && b < a) ? b : a;

/** When to look again: by the conditions of what is open, or by other settings. */
export const nextLook = ({ open, next, asOf }: Inbox, book: SettingsBook): Millis | null =>
  open.size === 0 ? null : sooner(next, nextChange(book, asOf));
