import type { ConversationId, UserId } from "../../domain/ids.ts";
import { DAY, type Millis, MINUTE } from "../../platform/contract/time.ts";
import type { Notice } from "../../inboxes/notification.ts";
import { spread } from "../spread.ts";

/** Time after a notification within which a message counts as read anyway, if its recipient reads or writes there. */
export const READ_WITHIN: Millis = 15 * MINUTE;

/** Least numbers of the classes of a user's notifications on one day (UTC). */
export const DAILY = [1, 2, 3, 4, 6, 11, 21] as const;

/** Figures of a stretch of time. */
export interface Figures {
  readonly notifications: number;
  /** Mails: one for each address of a notified user that wants mail. */
  readonly mails: number;
  readonly users: number;
  /** User-days by their notifications, in the classes of DAILY. */
  readonly days: readonly number[];
  /** Seconds from the `since` of the first missed message to the notification. */
  readonly waited: {
    readonly mean: number | null;
    readonly p50: number | null;
    readonly p90: number | null;
    readonly p99: number | null;
  };
  /** Messages shown or counted in notifications. */
  readonly messages: number;
  /** Messages of these read within READ_WITHIN. */
  readonly readAnyway: number;
}

/** Counts notifications in [from, to). Notifications come in the order of time, and each reading after earlier ones. */
export interface Tally {
  told(notice: Notice): void;
  /** Counts a mail to one address. */
  mailed(at: Millis): void;
  /** Notes at `at` that the user has read the conversation up to `until`. */
  read(user: UserId, conversation: ConversationId, until: Millis, at: Millis): void;
  /** Notifications by user. */
  byUser(): ReadonlyMap<UserId, number>;
  figures(): Figures;
}

/** A notified conversation that may yet be read anyway. */
interface Open {
  readonly key: string;
  readonly at: Millis;
  /** Times of the messages shown, oldest first. */
  times: readonly Millis[];
  /** Number of older messages, which are not shown. */
  older: number;
}

export const tally = (from: Millis, to: Millis): Tally => {
  const users = new Map<UserId, number>();
  const waits = spread();
  const days = userDays();
  const open = opened();
  /** Notifications that no reading may have followed yet. */
  let fresh: Notice[] = [];
  let looked = 0;
  let [notifications, mails, messages, readAnyway] = [0, 0, 0, 0];

  return {
    told(notice) {
      const { userId, first, at } = notice;
      if (at < from || at >= to) return;
      notifications++;
      users.set(userId, (users.get(userId) ?? 0) + 1);
      days.count(userId, at);
      waits.add(at - first.since);
      for (const { shown, omitted } of notice.parts) messages += shown.length + omitted;
      fresh.push(notice);
    },
    mailed(at) {
      if (at >= from && at < to) mails++;
    },
    read(user, conversation, until, at) {
      // Records of a time come before its timers.
      for (let next = fresh[looked]; next !== undefined && next.at < at; next = fresh[looked]) {
        open.put(next);
        looked++;
      }
      if (looked === fresh.length) fresh = [];
      if (fresh.length === 0) looked = 0;
      readAnyway += open.take(keyOf(user, conversation), until, at);
    },
    byUser: () => users,
    figures() {
      const [mean, p50, p90, p99] = [waits.mean(), waits.quantile(0.5), waits.quantile(0.9), waits.quantile(0.99)];
      const waited = { mean, p50, p90, p99 };
      return { notifications, mails, users: users.size, days: days.classes(), waited, messages, readAnyway };
    },
  };
};

/** Counts user-days by their notifications, in the classes of DAILY. Notifications come in the order of time. */
const userDays = () => {
  const classes = DAILY.map(() => 0);
  let today = { day: -1, counts: new Map<UserId, number>() };
  const close = (day: number): void => {
    for (const count of today.counts.values()) {
      const place = DAILY.findLastIndex((least) => count >= least);
      classes[place] = (classes[place] ?? 0) + 1;
    }
    today = { day, counts: new Map() };
  };
  return {
    count(user: UserId, at: Millis): void {
      const day = Math.floor(at / DAY);
      if (day !== today.day) close(day);
      today.counts.set(user, (today.counts.get(user) ?? 0) + 1);
    },
    classes(): readonly number[] {
      close(-1);
      return [...classes];
    },
  };
};

const keyOf = (user: UserId, conversation: ConversationId): string => `${user}\u001f${conversation}`;

/** Keeps the notified conversations of the last READ_WITHIN. */
const opened = () => {
  const byKey = new Map<string, Open[]>();
  let queue: Open[] = [];
  let head = 0;

  const forget = (now: Millis): void => {
    for (let oldest = queue[head]; oldest !== undefined && oldest.at + READ_WITHIN < now; oldest = queue[head]) {
      head++;
      const left = (byKey.get(oldest.key) ?? []).filter((one) => one !== oldest);
      if (left.length === 0) byKey.delete(oldest.key);
      else byKey.set(oldest.key, left);
    }
    if (head * 2 <= queue.length) return;
    queue = queue.slice(head);
    head = 0;
  };

  return {
    put({ userId, parts, at }: Notice): void {
      forget(at);
      for (const { conversationId, shown, omitted } of parts) {
        const times = shown.map(({ sentAt }) => sentAt);
        const one: Open = { key: keyOf(userId, conversationId), at, times, older: omitted };
        queue.push(one);
        byKey.set(one.key, [...(byKey.get(one.key) ?? []), one]);
      }
    },
    /** Counts the messages that this reading is the first to cover. */
    take(key: string, until: Millis, now: Millis): number {
      forget(now);
      let count = 0;
      for (const one of byKey.get(key) ?? []) {
        const left = one.times.filter((time) => time > until);
        const isOlderRead = left.length < one.times.length || one.times.length === 0;
        count += one.times.length - left.length + (isOlderRead ? one.older : 0);
        one.times = left;
        if (isOlderRead) one.older = 0;
      }
      return count;
    },
  };
};
