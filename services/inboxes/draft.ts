import { type Effect, type Verdict, type Step, note as noteOf } from "../domain/effect.ts";
import type { ConversationId, MessageId } from "../domain/ids.ts";
import { nothing } from "../platform/contract/processor.ts";
import type { LedgerEntry } from "../domain/records.ts";
import { settingsAt, type SettingsBook, type SettingsFields } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";
import { forgottenAt } from "./forget.ts";
import { type Inbox, newThread, type Thread, unsave } from "./state.ts";

/** An inbox while one event is folded: its changes so far, and the effects that follow from them. */
export interface Draft {
  readonly inbox: Inbox;
  /** The stream's time. */
  readonly now: Millis;
  readonly book: SettingsBook;
  /** The stream's time of the previous change to the standing. */
  readonly since: Millis;
  effects: readonly Effect[];
  /** Threads that this event has changed. */
  changedThreads: readonly Thread[];
  /** The user's settings, once they have been looked up. */
  settings: SettingsFields | null;
  /** true: something has changed that must be saved. */
  isChanged: boolean;
  /** true: something has changed that bears on every open thread, so all holds are computed anew. */
  recheckAll: boolean;
}

const noThreads: readonly Thread[] = [];
const noEffects: readonly Effect[] = [];

export const newDraft = (inbox: Inbox, now: Millis, book: SettingsBook): Draft => ({
  inbox,
  now,
  book,
  since: inbox.asOf,
  effects: noEffects,
  changedThreads: noThreads,
  settings: null,
  isChanged: false,
  recheckAll: false,
});

export const settingsOf = (draft: Draft): SettingsFields =>
  (draft.settings ??= settingsAt(draft.book, draft.inbox.profile?.user?.role ?? null, draft.now));

/** The user's thread for a conversation. A new thread joins the inbox only when `markThread` is called on it. */
export const threadOf = ({ inbox }: Draft, conversation: ConversationId): Thread =>
  inbox.threads.get(conversation) ?? newThread(conversation);

/** Marks the user's standing as changed now, to be saved. */
export const markStanding = (draft: Draft): void => {
  draft.isChanged = draft.inbox.unsaved.standing = true;
  draft.inbox.asOf = draft.now;
};

/**
 * Marks a thread as changed now, to be saved. The standing is marked too if the thread opens, closes, or brings `forgetAt`
 * forward.
 */
export const markThread = (draft: Draft, thread: Thread): void => {
  const { inbox, now, changedThreads } = draft;
  if (thread.touchedAt < 0) inbox.threads.set(thread.conversationId, thread);
  if (now > thread.touchedAt) thread.touchedAt = now;
  if (!changedThreads.includes(thread))
    draft.changedThreads = changedThreads.length === 0 ? [thread] : [...changedThreads, thread];
  unsave(inbox, thread);
  draft.isChanged = true;
  const isOpen = thread.missed.length > 0;
  if (isOpen !== thread.isOpen) {
    thread.isOpen = isOpen;
    if (isOpen) inbox.open.add(thread);
    else {
      inbox.open.delete(thread);
      thread.held = thread.until = null;
    }
    markStanding(draft);
  }
  if (isOpen) return;
  const at = forgottenAt(thread);
  if (inbox.forgetAt !== null && at >= inbox.forgetAt) return;
  inbox.forgetAt = at;
  markStanding(draft);
};

/**
 * Marks a thread that has lost messages, and notes a DROPPED verdict about the missed ones among them.
 * @param gone ids that are no longer missed; null: the thread has not changed
 */
export const noteDropped = (
  draft: Draft,
  thread: Thread,
  gone: readonly MessageId[] | null,
  why: Pick<LedgerEntry, "reason" | "facts">,
): void => {
  if (gone === null) return;
  markThread(draft, thread);
  if (gone.length === 0) return;
  const { conversationId } = thread;
  note(draft, { ...emptyVerdict, verdict: "DROPPED", conversationId, messageIds: gone, ...why });
};

/** The fields of a verdict, all empty, to be overwritten. */
export const emptyVerdict = {
  reason: null,
  conversationId: null,
  messageIds: [],
  notificationId: null,
  until: null,
  facts: {},
  occurredAt: -1,
} as const satisfies Partial<Verdict>;

/** Emits a verdict about the user for the ledger. Its `occurredAt` becomes the stream's time. */
export const note = (draft: Draft, verdict: Verdict): void => {
  const { inbox, now } = draft;
  const entry = verdict.occurredAt === now ? verdict : { ...verdict, occurredAt: now };
  emit(draft, noteOf(entry, [inbox.userId]));
};

/** Appends an effect. Most events have a single one, so the list is copied rather than grown. */
export const emit = (draft: Draft, effect: Effect): void => {
  draft.effects = draft.effects.length === 0 ? [effect] : [...draft.effects, effect];
};

/** Returns the step with the inbox to save, if it has changed, and the effects. */
export const stepOf = ({ inbox, effects, isChanged }: Draft): Step<Inbox> => {
  if (isChanged) return { writes: [[inbox.userId, inbox]], effects };
  return effects.length === 0 ? nothing : { writes: [], effects };
};
