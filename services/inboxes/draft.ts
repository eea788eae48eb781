import type { Effect } from "../core/effect.ts";
import { type ProfileRow, profileKey } from "../core/inbox.ts";
import type { ConversationId, MessageId, UserId } from "../core/ids.ts";
import { nothing, type Rows, type Step } from "../core/processor.ts";
import type { LedgerEntry } from "../core/records.ts";
import { settingsAt, type SettingsBook, type SettingsFields } from "../core/settings.ts";
import type { Millis } from "../core/time.ts";
import { type Changes, current, settled } from "./pending.ts";
import {
  type InboxRow,
  newThread,
  noPresence,
  nothingPending,
  pendingKey,
  type PendingRow,
  presenceKey,
  type PresenceRow,
  type ThreadRow,
  threadKey,
} from "./state.ts";

/** One user's rows while one event is folded: read as they are by now, and gathered into a Step at the end. */
export interface Draft {
  readonly userId: UserId;
  /** The stream's time. */
  readonly now: Millis;
  profile(): ProfileRow | undefined;
  presence(): PresenceRow;
  thread(conversation: ConversationId): ThreadRow;
  /** What is pending as of now, but for why each is held. */
  pending(): PendingRow;
  settings(): SettingsFields;
  setProfile(row: ProfileRow): void;
  setPresence(row: PresenceRow): void;
  /** Changes a thread, if `change` does; what is pending follows it. What is missed no more was `dropped` for that. */
  changeThread(
    conversation: ConversationId,
    change: (thread: ThreadRow) => ThreadRow,
    dropped?: Pick<LedgerEntry, "reason" | "facts">,
  ): void;
  /** The user is told of something now. */
  tell(): void;
  /** The user read something at that time. */
  read(at: Millis): void;
  note(entry: Partial<LedgerEntry> & Pick<LedgerEntry, "verdict">): void;
  effect(effect: Effect): void;
  /** The user's own rows, and these threads, will be read. */
  expect(conversations: readonly ConversationId[]): void;
  /** @param isDue looks also at what time alone may have changed */
  step(isDue?: boolean): Step<InboxRow>;
}

export const draft = (rows: Rows<InboxRow>, userId: UserId, now: Millis, book: SettingsBook): Draft => {
  const changed = new Map<string, InboxRow>();
  const effects: Effect[] = [];
  /** Conversations whose thread is another now. */
  const touched = new Set<ConversationId>();
  let told = 0;
  let readAt: Millis | null = null;
  const get = <T extends InboxRow["type"]>(key: string, type: T): Extract<InboxRow, { type: T }> | undefined => {
    const row = changed.get(key) ?? rows.get(key);
    return row?.type === type ? (row as Extract<InboxRow, { type: T }>) : undefined;
  };
  const saved = (): PendingRow | undefined => get(pendingKey(userId), "pending");
  const changes = (): Changes => ({ touched, told, readAt, isPresenceChanged: changed.has(presenceKey(userId)) });

  const it: Draft = {
    userId,
    now,
    profile: () => get(profileKey(userId), "profile"),
    presence: () => get(presenceKey(userId), "presence") ?? noPresence(userId),
    thread: (conversation) => get(threadKey(userId, conversation), "thread") ?? newThread,
    pending: () => current(it, saved() ?? nothingPending(userId), changes()),
    settings: () => settingsAt(book, it.profile()?.user?.role ?? null, now),
    setProfile: (row) => void changed.set(profileKey(userId), row),
    setPresence: (row) => void changed.set(presenceKey(userId), row),
    changeThread(conversation, change, dropped) {
      const before = it.thread(conversation);
      const after = change(before);
      if (after === before) return;
      changed.set(threadKey(userId, conversation), { ...after, touchedAt: Math.max(before.touchedAt, now) });
      touched.add(conversation);
      const gone = dropped === undefined ? [] : missing(before, after);
      if (dropped !== undefined && gone.length > 0)
        it.note({ verdict: "DROPPED", conversationId: conversation, messageIds: gone, ...dropped });
    },
    tell: () => void told++,
    read: (at) => void (readAt = at),
    note: (entry) =>
      void effects.push({ type: "note", entry: { ...blank, users: [userId], occurredAt: now, ...entry } }),
    effect: (effect) => void effects.push(effect),
    expect: (conversations) =>
      rows.expect([
        profileKey(userId),
        presenceKey(userId),
        pendingKey(userId),
        ...conversations.map((conversation) => threadKey(userId, conversation)),
      ]),
    step(isDue = false) {
      const after = settled(it, saved(), changes(), isDue, book);
      if (after !== null) changed.set(pendingKey(userId), after);
      return changed.size === 0 && effects.length === 0 ? nothing : { writes: [...changed], effects };
    },
  };
  return it;
};

const blank = {
  reason: null,
  conversationId: null,
  messageIds: [],
  notificationId: null,
  until: null,
  facts: {},
} as const;

/** Missed before, and no longer. */
const missing = (before: ThreadRow, after: ThreadRow): readonly MessageId[] => {
  if (before.missed === after.missed) return [];
  const left = new Set(after.missed.map(({ messageId }) => messageId));
  return before.missed.flatMap(({ messageId }) => (left.has(messageId) ? [] : [messageId]));
};
