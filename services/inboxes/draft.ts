import type { Effect } from "../core/effect.ts";
import { type ProfileRow, profileKey } from "../core/inbox.ts";
import type { ConversationId, UserId } from "../core/ids.ts";
import { nothing, type Rows, type Step } from "../core/processor.ts";
import type { Millis } from "../core/time.ts";
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
  profile(): ProfileRow | undefined;
  presence(): PresenceRow;
  pending(): PendingRow;
  thread(conversation: ConversationId): ThreadRow;
  setProfile(row: ProfileRow): void;
  /** Saves the sessions; whoever comes or goes by that is pending differently from now on. */
  setPresence(row: PresenceRow): void;
  /** Changes a thread, if `change` does; what is pending follows it. */
  changeThread(conversation: ConversationId, at: Millis, change: (thread: ThreadRow) => ThreadRow): void;
  /** All of these threads, and the profile, will be read. */
  expectThreads(conversations: readonly ConversationId[]): void;
  step(effects?: readonly Effect[]): Step<InboxRow>;
}

export const draft = (rows: Rows<InboxRow>, userId: UserId): Draft => {
  const changed = new Map<string, InboxRow>();
  // Gathered, and put into the pending row once: someone may be told of hundreds of conversations at a time.
  const firsts = new Map<ConversationId, Millis | null>();
  const get = (key: string): InboxRow | undefined => changed.get(key) ?? rows.get(key);

  const presence = (): PresenceRow => {
    const row = get(presenceKey(userId));
    return row?.type === "presence" ? row : noPresence;
  };
  const pending = (): PendingRow => {
    const row = get(pendingKey(userId));
    return row?.type === "pending" ? row : nothingPending(userId);
  };
  const thread = (conversation: ConversationId): ThreadRow => {
    const row = get(threadKey(userId, conversation));
    return row?.type === "thread" ? row : newThread;
  };

  return {
    userId,
    presence,
    pending,
    thread,
    profile() {
      const row = get(profileKey(userId));
      return row?.type === "profile" ? row : undefined;
    },
    setProfile: (row) => void changed.set(profileKey(userId), row),
    setPresence(row) {
      if (row === presence()) return;
      changed.set(presenceKey(userId), row);
      const before = pending();
      const isOnline = Object.keys(row.sessions).length > 0;
      if (before.isOnline !== isOnline || before.awaySince !== row.awaySince)
        changed.set(pendingKey(userId), { ...before, isOnline, awaySince: row.awaySince });
    },
    changeThread(conversation, at, change) {
      const before = thread(conversation);
      const after = change(before);
      if (after === before) return;
      changed.set(threadKey(userId, conversation), { ...after, touchedAt: Math.max(before.touchedAt, at) });
      const first = after.missed[0]?.since ?? null;
      if (first !== (before.missed[0]?.since ?? null)) firsts.set(conversation, first);
    },
    expectThreads: (conversations) =>
      rows.expect([profileKey(userId), ...conversations.map((conversation) => threadKey(userId, conversation))]),
    step(effects = []) {
      if (firsts.size > 0) changed.set(pendingKey(userId), withFirsts(pending(), firsts));
      return changed.size === 0 && effects.length === 0 ? nothing : { writes: [...changed], effects };
    },
  };
};

const withFirsts = (row: PendingRow, changes: ReadonlyMap<ConversationId, Millis | null>): PendingRow => {
  const firsts = new Map(Object.entries(row.firsts));
  for (const [conversation, first] of changes)
    if (first === null) firsts.delete(conversation);
    else firsts.set(conversation, first);
  let earliest: Millis | null = null;
  for (const first of firsts.values()) if (earliest === null || first < earliest) earliest = first;
  return { ...row, firsts: Object.fromEntries(firsts), earliest };
};
