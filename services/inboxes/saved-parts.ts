import { inboxRowKey, type ProfileRow, profileKey, type ReadPosition, userOfRow } from "../domain/inbox-rows.ts";
import type { ConversationId, MessageId, UserId } from "../domain/ids.ts";
import type { RowParts } from "../platform/contract/row-parts.ts";
import type { Millis } from "../platform/contract/time.ts";
import { type Held, type Inbox, type Missed, newInbox, newThread, type Standing, type Thread } from "./state.ts";

/** Row key of the part with the user's standing. It has the timer. */
export const standingKey = (user: UserId): string => inboxRowKey("o", user);
export const threadKey = (user: UserId, conversation: ConversationId): string => inboxRowKey("t", user, conversation);

type SavedStanding = Omit<Standing, "attended"> & {
  readonly attended: Readonly<Record<ConversationId, Millis>>;
  /** Hold of each open thread. It lies here because the user's coming and going changes all holds, but no thread. */
  readonly open: readonly (readonly [ConversationId, Held | null, Millis | null])[];
};

/**
 * A thread as saved. Fields as in a new thread are left out, and `count` where every missed message is listed: threads
 * are many.
 */
interface SavedThread extends ReadPosition {
  readonly readAt: Millis | undefined;
  readonly missed: readonly SavedMessage[] | undefined;
  readonly count: number | undefined;
  readonly attended: readonly SavedMessage[] | undefined;
  readonly told: Thread["told"] | undefined;
  readonly toldAt: Thread["toldAt"] | undefined;
  readonly touchedAt: Millis;
}

/** A missed message as saved. `since` and `loggedAt` are milliseconds after the time before them. */
type SavedMessage = readonly [
  messageId: MessageId,
  senderId: UserId | null,
  sentAt: Millis,
  since: Millis,
  loggedAt: Millis,
  isMentioned: 0 | 1,
];

/** Layout of an inbox in the store: a part for the profile, one for the standing and one for each thread. */
export const inboxParts: RowParts<Inbox> = {
  span: (user) => ({ keys: [profileKey(user), standingKey(user)], prefix: threadKey(user, "") }),
  rowOf: userOfRow,
  timer: standingKey,

  assemble(userId, parts) {
    if (parts.size === 0) return undefined;
    const inbox = newInbox(userId);
    const prefix = threadKey(userId, "");
    for (const [key, part] of parts) {
      if (key === profileKey(userId)) inbox.profile = part as ProfileRow;
      if (!key.startsWith(prefix)) continue;
      const thread = restoredThread(key.slice(prefix.length), part as SavedThread);
      inbox.threads.set(thread.conversationId, thread);
      thread.isOpen = thread.missed.length > 0;
      if (thread.isOpen) inbox.open.add(thread);
    }
    const standing = parts.get(standingKey(userId)) as SavedStanding | undefined;
    if (standing === undefined) return inbox;
    const { attended, open, ...rest } = standing;
    for (const [conversation, held, until] of open)
      Object.assign(inbox.threads.get(conversation) ?? {}, { held, until });
    return Object.assign(inbox, rest, { attended: new Map(Object.entries(attended)) });
  },

  part(inbox, key) {
    const { userId } = inbox;
    if (key === profileKey(userId)) return inbox.profile ?? undefined;
    if (key === standingKey(userId)) return inbox.asOf < 0 ? undefined : standingOf(inbox);
    const thread = inbox.threads.get(key.slice(threadKey(userId, "").length));
    return thread === undefined ? undefined : savedThread(thread);
  },

  changed(userId, inbox) {
    if (inbox === null) return []; // an inbox is never deleted
    const { unsaved } = inbox;
    const parts: [string, unknown][] = [];
    if (unsaved.profile) parts.push([profileKey(userId), inbox.profile]);
    if (unsaved.standing) parts.push([standingKey(userId), deferred(inbox, standingOf)]);
    const prefix = threadKey(userId, "");
    for (const thread of unsaved.threads) {
      const now = inbox.threads.get(thread.conversationId);
      if (now === undefined) parts.push([prefix + thread.conversationId, null]);
      // A forgotten thread that began anew is listed twice: only the new one is saved.
      else if (now === thread) parts.push([prefix + thread.conversationId, deferred(thread, savedThread)]);
    }
    return parts;
  },

  saved({ unsaved }) {
    unsaved.standing = unsaved.profile = false;
    for (const thread of unsaved.threads) thread.isUnsaved = false;
    unsaved.threads.length = 0;
  },
};

/**
 * Defers the encoding of a part until it is written, so that the parts of a commit are never all in memory as saved.
 */
const deferred = <State>(state: State, saved: (state: State) => unknown): { readonly toJSON: () => unknown } => ({
  toJSON: () => saved(state),
});

const standingOf = (inbox: Inbox): SavedStanding => {
  // Fields are named one by one: a rest pattern would make the object a slow dictionary.
  const { attended, open, sessions, endedAt, signAt, isOnline, awaySince, screens, lapsesAt } = inbox;
  const { told, readAt, next, forgetAt, asOf } = inbox;
  return {
    sessions,
    endedAt,
    signAt,
    isOnline,
    awaySince,
    screens,
    lapsesAt,
    told,
    readAt,
    next,
    forgetAt,
    asOf,
    attended: Object.fromEntries(attended),
    open: Array.from(open, ({ conversationId, held, until }) => [conversationId, held, until] as const).toSorted(
      byName,
    ),
  };
};

const savedThread = ({ readUntil, readAt, missed, count, attended, told, toldAt, touchedAt }: Thread): SavedThread => ({
  readUntil: readUntil < 0 ? undefined : readUntil,
  readAt: readAt ?? undefined,
  missed: unlessEmpty(missed)?.map(savedMessage),
  count: count === missed.length ? undefined : count,
  attended: unlessEmpty(attended)?.map(savedMessage),
  told: unlessEmpty(told),
  toldAt: unlessEmpty(toldAt),
  touchedAt,
});

const unlessEmpty = <T>(list: T[]): T[] | undefined => (list.length === 0 ? undefined : list);

const restoredThread = (conversation: ConversationId, saved: SavedThread): Thread => {
  const { readUntil = -1, readAt = null, missed = [], count = missed.length, attended = [], touchedAt } = saved;
  const { told = [], toldAt = [] } = saved;
  return {
    ...newThread(conversation),
    readUntil,
    readAt,
    missed: missed.map(restoredMessage),
    count,
    attended: attended.map(restoredMessage),
    told,
    toldAt,
    touchedAt,
  };
};

const savedMessage = ({ messageId, senderId, sentAt, since, loggedAt, isMentioned }: Missed): SavedMessage => [
  messageId,
  senderId,
  sentAt,
  since - sentAt,
  loggedAt - since,
  isMentioned ? 1 : 0,
];

const restoredMessage = ([messageId, senderId, sentAt, since, loggedAt, isMentioned]: SavedMessage): Missed => ({
  messageId,
  senderId,
  sentAt,
  since: sentAt + since,
  loggedAt: sentAt + since + loggedAt,
  isMentioned: isMentioned === 1,
});

/** Orders entries by name: a set read from the store has no order of its own. */
const byName = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number => (a < b ? -1 : 1);
