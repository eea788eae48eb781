import type { ConversationId, UserId } from "../../../services/domain/ids.ts";
import type { LogRecord } from "../../../services/domain/log-record.ts";
import type { SettingsFields } from "../../../services/domain/role-settings.ts";
import { derivedTopics, precedence } from "../../../services/domain/topics.ts";
import { SESSION_TTL } from "../../../services/inboxes/sessions.ts";
import { type Letter, MAIL_QUEUE } from "../../../services/mailer/rule.ts";
import { deciders } from "../../../services/ops/decide/decide.ts";
import { readLog, type Source } from "../../../services/ops/whatif/log-history.ts";
import type { Codec } from "../../../services/platform/contract/ports.ts";
import { type Millis, MINUTE, SECOND } from "../../../services/platform/contract/time.ts";
import type { Cast } from "./cast.ts";
import type { Act } from "./play.ts";

/** A mail that must arrive, once. */
export interface ExpectedMail {
  readonly notificationId: string;
  readonly address: string;
}

/** The mails of an act, by the rule and the records on the log. */
export interface Expectation {
  /** Mails that must arrive. */
  readonly required: readonly ExpectedMail[];
  /** The time by which each of them has fallen due. */
  readonly dueBy: Millis;
  /**
   * Notifications whose recipients read or write, after the decision, in every conversation that the notification is
   * about. Their mails need not be sent any more: on a machine that stalls, the reading can come before the sending.
   */
  readonly readLater: ReadonlySet<string>;
  /** Mails that may have arrived by a time, the required ones among them. */
  allowedBy(now: Millis): readonly ExpectedMail[];
}

/** Longest that a burst puts off what is due. */
const MAX_SETTLING = MINUTE;

/** Topics that decisions come from, in the order of records of one time. */
const INPUTS = precedence.filter((topic) => !derivedTopics.includes(topic));

/** The keys of an act's records. */
export const keysOf = ({ people, rooms }: Cast): ReadonlySet<string> =>
  new Set([...people, ...rooms].map(({ id }) => id));

/** Reads back the records of these keys, and all settings, as the log has them. Throws Transient. */
export const recordsOf = async (
  { log, codec }: { readonly log: Source; readonly codec: Codec },
  keys: ReadonlySet<string>,
): Promise<readonly LogRecord[]> => {
  const found: LogRecord[] = [];
  for await (const some of readLog(log, codec, INPUTS))
    found.push(...some.filter(({ topic, key }) => topic === "settings" || keys.has(key)));
  return found;
};

/**
 * Tells the mails that follow from records by a time. A record is folded at its timestamp, before the timers of that
 * time; or at the time that `takenAt` says, after them.
 */
export const mailsOf = (
  records: readonly LogRecord[],
  until: Millis,
  takenAt?: (record: LogRecord) => Millis,
): readonly ExpectedMail[] =>
  lettersOf(records, until, takenAt).map(({ address, event: { notificationId } }) => ({ notificationId, address }));

const lettersOf = (
  records: readonly LogRecord[],
  until: Millis,
  takenAt?: (record: LogRecord) => Millis,
): readonly Letter[] => {
  const letters: Letter[] = [];
  const driver = deciders({
    enqueued({ queue, payload }) {
      if (queue === MAIL_QUEUE) letters.push(payload as Letter); // as the rule made it
    },
  });
  const inOrder = takenAt === undefined ? records : records.toSorted((a, b) => takenAt(a) - takenAt(b));
  let time = -Infinity;
  for (const record of inOrder) {
    const at = takenAt?.(record) ?? record.loggedAt;
    if (at > until) continue;
    if (takenAt !== undefined && at > time) driver.advance(at);
    driver.feed(record);
    time = Math.max(time, at);
  }
  driver.advance(until);
  return letters;
};

const isReadLater =
  (records: readonly LogRecord[]) =>
  ({ event }: Letter): boolean =>
    event.snapshot !== null &&
    event.snapshot.conversations.every(({ conversationId }) =>
      records.some((record) => record.loggedAt > event.occurredAt && isReadBy(record, event.userId, conversationId)),
    );

/** Tells if a record says that a user reads in a conversation, or writes there, which reads it too. */
const isReadBy = ({ topic, value }: LogRecord, userId: UserId, conversationId: ConversationId): boolean => {
  if (value === null || (topic !== "presence" && topic !== "messages")) return false;
  if (value.conversationId !== conversationId) return false;
  return topic === "presence"
    ? value.type === "READ" && value.userId === userId
    : value.type === "SENT" && value.senderId === userId;
};

/** Names a mail by its notification and its address. */
export const nameOf = ({ notificationId, address }: ExpectedMail): string => `${notificationId} ${address}`;

/**
 * Tells the mails of an act. A service sees a record at some time between its timestamp and its acknowledgement. A mail
 * is required if it follows at either end of that time, and allowed if it follows at one of them.
 */
export const expectationOf = (
  records: readonly LogRecord[],
  { acknowledged }: Pick<Act, "acknowledged">,
  { timeout }: Pick<SettingsFields, "timeout">,
): Expectation => {
  const takenAt = (record: LogRecord): Millis => Math.max(record.loggedAt, acknowledged(record));
  const last = Math.max(0, ...records.map(takenAt));
  const dueBy = last + SESSION_TTL + timeout * SECOND + MAX_SETTLING;
  const late = new Set(mailsOf(records, dueBy, takenAt).map(nameOf));
  return {
    required: mailsOf(records, dueBy).filter((mail) => late.has(nameOf(mail))),
    dueBy,
    readLater: new Set(
      lettersOf(records, dueBy)
        .filter(isReadLater(records))
        .map(({ event }) => event.notificationId),
    ),
    allowedBy(now) {
      const until = Math.max(now, dueBy);
      return [...mailsOf(records, until), ...mailsOf(records, until, takenAt)];
    },
  };
};
