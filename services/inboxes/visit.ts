import type { Effect } from "../core/effect.ts";
import type { ConversationId, MessageId } from "../core/ids.ts";
import { nothing, type Step } from "../core/processor.ts";
import type { LedgerEntry } from "../core/records.ts";
import { settingsAt, type SettingsBook, type SettingsFields } from "../core/settings.ts";
import type { Millis } from "../core/time.ts";
import { forgottenAt } from "./forget.ts";
import { type Inbox, newThread, type Thread } from "./state.ts";

/** One inbox while one event is folded: what it changes there, and what follows. */
export interface Visit {
  readonly inbox: Inbox;
  /** The stream's time. */
  readonly now: Millis;
  readonly book: SettingsBook;
  /** The stream's time of the last change before. */
  readonly since: Millis;
  readonly effects: Effect[];
  readonly touched: Thread[];
  /** Whether anything has changed that is to be saved. */
  isChanged: boolean;
  /** Whether something is another now that decides about all conversations alike. */
  isStirred: boolean;
}

export const visit = (inbox: Inbox, now: Millis, book: SettingsBook): Visit => ({
  inbox,
  now,
  book,
  since: inbox.asOf,
  effects: [],
  touched: [],
  isChanged: false,
  isStirred: false,
});

export const settingsOf = ({ inbox, book, now }: Visit): SettingsFields =>
  settingsAt(book, inbox.profile?.user?.role ?? null, now);

/** The user's side of a conversation; it is in the inbox once it is touched. */
export const threadOf = ({ inbox }: Visit, conversation: ConversationId): Thread =>
  inbox.threads.get(conversation) ?? newThread(conversation);

/** Notes that the user's standing has changed. */
export const change = (it: Visit): void => {
  it.isChanged = it.inbox.unsaved.standing = true;
};

/** Notes that a thread has changed. */
export const touch = (it: Visit, thread: Thread): void => {
  const { inbox, now, touched } = it;
  if (thread.touchedAt < 0) inbox.threads.set(thread.conversationId, thread);
  if (now > thread.touchedAt) thread.touchedAt = now;
  if (!touched.includes(thread)) touched.push(thread);
  inbox.unsaved.threads.add(thread);
  change(it);
  if (thread.missed.length > 0) {
    inbox.open.add(thread);
    return;
  }
  if (inbox.open.delete(thread)) thread.held = thread.until = null;
  const at = forgottenAt(thread);
  if (inbox.forgetAt === null || at < inbox.forgetAt) inbox.forgetAt = at;
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

type Verdict = Omit<LedgerEntry, "users" | "occurredAt">;

/** A verdict that says nothing but what is put in its place. */
export const blank = {
  reason: null,
  conversationId: null,
  messageIds: [],
  notificationId: null,
  until: null,
  facts: {},
} as const satisfies Partial<Verdict>;

/** Puts a verdict about the user in the ledger. */
export const note = ({ inbox, now, effects }: Visit, verdict: Verdict): void => {
  effects.push({ type: "note", entry: { ...verdict, users: [inbox.userId], occurredAt: now } });
};

/** What came of it. */
export const stepOf = ({ inbox, effects, isChanged }: Visit): Step<Inbox> => {
  if (isChanged) return { writes: [[inbox.userId, inbox]], effects };
  return effects.length === 0 ? nothing : { writes: [], effects };
};
