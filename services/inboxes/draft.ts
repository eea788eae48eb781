import { type Effect, type Verdict, type Step, note as noteOf } from "../domain/effect.ts";
import type { ConversationId, MessageId } from "../domain/ids.ts";
import { nothing } from "../platform/contract/processor.ts";
import type { LedgerEntry } from "../domain/records.ts";
import { settingsAt, type SettingsBook, type SettingsFields } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";
import { forgottenAt } from "./forget.ts";
import { type Inbox, newThread, type Thread, unsave } from "./state.ts";

/** One inbox while one event is folded: what it changes there, and what follows. */
export interface Visit {
  readonly inbox: Inbox;
  /** The stream's time. */
  readonly now: Millis;
  readonly book: SettingsBook;
  /** The stream's time of the last change before. */
  readonly since: Millis;
  effects: readonly Effect[];
  touched: readonly Thread[];
  /** Those that hold for the user, once they have been looked up. */
  settings: SettingsFields | null;
  /** Whether anything has changed that is to be saved. */
  isChanged: boolean;
  /** Whether something is another now that decides about all conversations alike. */
  isStirred: boolean;
}

const none: readonly Thread[] = [];
const noEffects: readonly Effect[] = [];

export const visit = (inbox: Inbox, now: Millis, book: SettingsBook): Visit => ({
  inbox,
  now,
  book,
  since: inbox.asOf,
  effects: noEffects,
  touched: none,
  settings: null,
  isChanged: false,
  isStirred: false,
});

export const settingsOf = (it: Visit): SettingsFields =>
  (it.settings ??= settingsAt(it.book, it.inbox.profile?.user?.role ?? null, it.now));

/** The user's side of a conversation; it is in the inbox once it is touched. */
export const threadOf = ({ inbox }: Visit, conversation: ConversationId): Thread =>
  inbox.threads.get(conversation) ?? newThread(conversation);

/** Notes that the user's standing has changed. */
export const change = (it: Visit): void => {
  it.isChanged = it.inbox.unsaved.standing = true;
  it.inbox.asOf = it.now;
};

/** Notes that a thread has changed: the standing has, too, only where more than the thread is another now. */
export const touch = (it: Visit, thread: Thread): void => {
  const { inbox, now } = it;
  if (thread.touchedAt < 0) inbox.threads.set(thread.conversationId, thread);
  if (now > thread.touchedAt) thread.touchedAt = now;
  if (!it.touched.includes(thread)) it.touched = it.touched.length === 0 ? [thread] : [...it.touched, thread];
  unsave(inbox, thread);
  it.isChanged = true;
  const isOpen = thread.missed.length > 0;
  if (isOpen !== thread.isOpen) {
    thread.isOpen = isOpen;
    if (isOpen) inbox.open.add(thread);
    else {
      inbox.open.delete(thread);
      thread.held = thread.until = null;
    }
    change(it);
  }
  if (isOpen) return;
  const at = forgottenAt(thread);
  if (inbox.forgetAt !== null && at >= inbox.forgetAt) return;
  inbox.forgetAt = at;
  change(it);
};

/** A thread has changed where `gone` is not null: those of its messages are missed no more, for the reason given. */
export const dropped = (
  it: Visit,
  thread: Thread,
  gone: readonly MessageId[] | null,
  why: Pick<LedgerEntry, "reason" | "facts">,
): void => {
  if (gone === null) return;
  touch(it, thread);
  if (gone.length === 0) return;
  note(it, { ...blank, verdict: "DROPPED", conversationId: thread.conversationId, messageIds: gone, ...why });
};

/** A verdict that says nothing but what is put in its place. */
export const blank = {
  reason: null,
  conversationId: null,
  messageIds: [],
  notificationId: null,
  until: null,
  facts: {},
  occurredAt: -1,
} as const satisfies Partial<Verdict>;

/** Puts a verdict about the user in the ledger; it is of now, whatever it says. */
export const note = (it: Visit, verdict: Verdict): void => {
  const { inbox, now } = it;
  const entry = verdict.occurredAt === now ? verdict : { ...verdict, occurredAt: now };
  follow(it, noteOf(entry, [inbox.userId]));
};

/** What follows, after what followed so far. Mostly it is one thing alone. */
export const follow = (it: Visit, effect: Effect): void => {
  it.effects = it.effects.length === 0 ? [effect] : [...it.effects, effect];
};

/** What came of it. */
export const stepOf = ({ inbox, effects, isChanged }: Visit): Step<Inbox> => {
  if (isChanged) return { writes: [[inbox.userId, inbox]], effects };
  return effects.length === 0 ? nothing : { writes: [], effects };
};
