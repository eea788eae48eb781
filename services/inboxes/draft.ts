import type { Effect } from "../core/effect.ts";
import { type ProfileRow, profileKey } from "../core/inbox.ts";
import type { ConversationId, MessageId, UserId } from "../core/ids.ts";
import { nothing, type Rows, type Step } from "../core/processor.ts";
import type { LedgerEntry } from "../core/records.ts";
import { settingsAt, type SettingsBook, type SettingsFields } from "../core/settings.ts";
import type { Millis } from "../core/time.ts";
import { settled, withThread } from "./pending.ts";
import {
  type InboxRow,
  newThread,
  newUser,
  type ThreadRow,
  threadKey,
  userKey,
  type UserRow,
  withProfile,
} from "./state.ts";

/** A thread as it is by now. */
interface Kept {
  readonly key: string;
  row: ThreadRow;
  isChanged: boolean;
}

/** One user's rows while one event is folded: read once, as they are by now, and gathered into a Step at the end. */
export class Draft {
  readonly userId: UserId;
  /** The stream's time. */
  readonly now: Millis;
  readonly book: SettingsBook;
  /** The user's row before the event; a new one, if there was none. */
  before: UserRow;
  /** The user's row as it is by now, but for why conversations are held. */
  row: UserRow;
  readonly #key: string;
  readonly #rows: Rows<InboxRow>;
  readonly #threads = new Map<ConversationId, Kept>();
  readonly #effects: Effect[] = [];
  #profile: ProfileRow | null = null;
  /** The new row, as long as there is nothing to save in it. */
  #unsaved: UserRow | null = null;

  constructor(rows: Rows<InboxRow>, userId: UserId, now: Millis, book: SettingsBook) {
    this.userId = userId;
    this.now = now;
    this.book = book;
    this.#rows = rows;
    this.#key = userKey(userId);
    this.before = find(rows, this.#key, "user") ?? (this.#unsaved = newUser(userId, this.profile));
    this.row = this.before;
  }

  get profile(): ProfileRow | undefined {
    return this.#profile ?? find(this.#rows, profileKey(this.userId), "profile");
  }

  set profile(profile: ProfileRow) {
    this.#profile = profile;
    // A user of whom nothing else is known has no row of their own: the profile will be looked up when they have.
    if (this.row === this.#unsaved) this.row = this.before = this.#unsaved = newUser(this.userId, profile);
    else this.row = withProfile(this.row, profile);
  }

  settings(): SettingsFields {
    return settingsAt(this.book, this.row.role, this.now);
  }

  thread(conversation: ConversationId): ThreadRow {
    return this.#thread(conversation).row;
  }

  isTouched(conversation: ConversationId): boolean {
    return this.#threads.get(conversation)?.isChanged === true;
  }

  /** Changes a thread, if `by` does. What is missed no more was `dropped` for that. */
  changeThread(
    conversation: ConversationId,
    by: (thread: ThreadRow) => ThreadRow,
    dropped?: Pick<LedgerEntry, "reason" | "facts">,
  ): void {
    const kept = this.#thread(conversation);
    const before = kept.row;
    const after = by(before);
    if (after === before) return;
    kept.row = { ...after, touchedAt: Math.max(before.touchedAt, this.now) };
    kept.isChanged = true;
    this.row = withThread(this.row, conversation, after);
    const gone = dropped === undefined ? none : missing(before, after);
    if (gone.length > 0) this.note({ verdict: "DROPPED", conversationId: conversation, messageIds: gone, ...dropped });
  }

  note(entry: Partial<LedgerEntry> & Pick<LedgerEntry, "verdict">): void {
    this.#effects.push({ type: "note", entry: { ...blank, users: [this.userId], occurredAt: this.now, ...entry } });
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** The profile, and the threads of these conversations, will be read. */
  expect(conversations: Iterable<ConversationId>): void {
    const threads = Array.from(conversations, (conversation) => threadKey(this.userId, conversation));
    this.#rows.expect([profileKey(this.userId), ...threads]);
  }

  /** @param isDue looks also at what time alone may have changed */
  step(isDue = false): Step<InboxRow> {
    const writes: [string, InboxRow][] = [];
    if (isDue || this.row !== this.before) writes.push([this.#key, settled(this, isDue)]);
    if (this.#profile !== null) writes.push([profileKey(this.userId), this.#profile]);
    for (const { key, row, isChanged } of this.#threads.values()) if (isChanged) writes.push([key, row]);
    return writes.length === 0 && this.#effects.length === 0 ? nothing : { writes, effects: this.#effects };
  }

  #thread(conversation: ConversationId): Kept {
    let kept = this.#threads.get(conversation);
    if (kept === undefined) {
      const key = threadKey(this.userId, conversation);
      kept = { key, row: find(this.#rows, key, "thread") ?? newThread, isChanged: false };
      this.#threads.set(conversation, kept);
    }
    return kept;
  }
}

const find = <T extends InboxRow["type"]>(
  rows: Rows<InboxRow>,
  key: string,
  type: T,
): Extract<InboxRow, { type: T }> | undefined => {
  const row = rows.get(key);
  return row?.type === type ? (row as Extract<InboxRow, { type: T }>) : undefined;
};

const none: readonly MessageId[] = [];

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
  if (before.missed === after.missed || before.missed.length === 0) return none;
  const left = new Set(after.missed.map(({ messageId }) => messageId));
  return before.missed.flatMap(({ messageId }) => (left.has(messageId) ? [] : [messageId]));
};
