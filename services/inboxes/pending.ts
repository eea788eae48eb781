import type { ConversationId } from "../core/ids.ts";
import { nextChange, type SettingsBook, type SettingsFields } from "../core/settings.ts";
import { HOUR, type Millis } from "../core/time.ts";
import type { Draft } from "./draft.ts";
import { MAX_TOLD_TIMES, MAX_TOLD_TIMES_OF_USER, type Open, type ThreadRow, type UserRow } from "./state.ts";
import { holdOf } from "./when.ts";

/** No local day is longer: what was told before counts for no daily cap. */
const LONGEST_DAY: Millis = 26 * HOUR;

/** The user's row with what their thread of a conversation says by now. */
export const withThread = (row: UserRow, conversation: ConversationId, thread: ThreadRow): UserRow => {
  const { open } = row;
  const place = open.findIndex(({ conversationId }) => conversationId === conversation);
  const summary = summaryOf(conversation, thread, open[place]);
  if (summary !== null) return { ...row, open: place === -1 ? [...open, summary] : open.with(place, summary) };
  return place === -1 ? row : { ...row, open: open.toSpliced(place, 1) };
};

const summaryOf = (
  conversationId: ConversationId,
  { missed, toldAt, readAt }: ThreadRow,
  before: Open | undefined,
): Open | null => {
  const [first, last] = [missed[0], missed[missed.length - 1]];
  if (first === undefined || last === undefined) return null;
  const [held, until] = [before?.held ?? null, before?.until ?? null];
  return { conversationId, first: first.since, last: last.since, told: toldAt, readAt, held, until };
};

/** The user is told of something. */
export const withTold = (row: UserRow, at: Millis): UserRow => {
  const recent = row.told.findIndex((time) => time > at - LONGEST_DAY);
  const from = Math.min(recent === -1 ? Infinity : recent, row.told.length - MAX_TOLD_TIMES);
  return { ...row, told: [...row.told.slice(Math.max(from, 0)), at].slice(-MAX_TOLD_TIMES_OF_USER) };
};

/** The user read something. Before the first notification that starts nothing over. */
export const withRead = (row: UserRow, at: Millis): UserRow =>
  row.told.length > 0 && at > (row.readAt ?? -Infinity) ? { ...row, readAt: at } : row;

/** The row to save, with why conversations are held. @param isDue time alone may have changed something */
export const settled = (it: Draft, isDue: boolean): UserRow => {
  const { before, row, now } = it;
  if (row.open.length === 0) return { ...row, next: null, asOf: now };
  const settings = it.settings();
  const isRevised = (nextChange(it.book, before.asOf) ?? Infinity) <= now;
  const isSame = !isRevised && isSameForUser(before, row, settings);
  const isToLookAt = ({ conversationId, until }: Open): boolean =>
    !isSame || it.isTouched(conversationId) || (isDue && until !== null && until <= now);
  const open = lookedAt(it, isToLookAt, settings);
  return { ...row, open, next: earliest(open), asOf: now };
};

/** Whether nothing that concerns all conversations alike is another now. */
const isSameForUser = (before: UserRow, after: UserRow, settings: SettingsFields): boolean =>
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
const startsOver = (before: UserRow, { signAt, told }: UserRow): boolean =>
  told.some((time) => time >= (before.signAt ?? -Infinity) && time < (signAt ?? -Infinity));

/** Looks whether and why conversations are held. A reason that is new goes on record. */
const lookedAt = (it: Draft, isToLookAt: (open: Open) => boolean, settings: SettingsFields): UserRow["open"] => {
  const { row, now } = it;
  let changed: Open[] | null = null;
  for (const [place, one] of row.open.entries()) {
    if (!isToLookAt(one)) continue;
    const hold = holdOf(row, one, settings, now);
    const held = hold?.reason ?? null;
    const until = hold === null ? now : hold.until;
    if (held !== null && held !== one.held) {
      const { conversationId } = one;
      it.note({ verdict: "HELD", reason: held, conversationId, until, facts: factsOf(row, one) });
    }
    if (held !== one.held || until !== one.until) (changed ??= [...row.open])[place] = { ...one, held, until };
  }
  return changed ?? row.open;
};

const factsOf = ({ awaySince }: UserRow, { first, last }: Open): Readonly<Record<string, string>> => ({
  first: String(first),
  last: String(last),
  ...(awaySince === null ? {} : { awaySince: String(awaySince) }),
});

const earliest = (open: UserRow["open"]): Millis | null => {
  let next: Millis | null = null;
  for (const { until } of open) if (until !== null && (next === null || until < next)) next = until;
  return next;
};

/** When the row is to be looked at again: by its own conditions, or by other settings. */
export const nextLook = ({ open, next, asOf }: UserRow, book: SettingsBook): Millis | null => {
  const change = open.length > 0 ? nextChange(book, asOf) : null;
  return change !== null && (next === null || change < next) ? change : next;
};
