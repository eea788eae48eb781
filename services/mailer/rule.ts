import { checkKey } from "../domain/log-record.ts";
import { type Effect, type Processor, type Step, multicasts, note } from "../domain/effect.ts";
import { Poison } from "../platform/contract/failure.ts";
import { checkId } from "../platform/contract/identity.ts";
import { type Keyed, nothing } from "../platform/contract/processor.ts";
import type { NotificationEvent, Preference, Snapshot } from "../domain/records.ts";
import { settingsAt, type SettingsBook, settingsTable } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";
import { addressProblem } from "./smtp/address.ts";
import { notificationEvent } from "./notification-event.ts";
import { type Suppression, suppressedEntry } from "./suppression.ts";

/** Identity: names the queue and its outbox stream. */
export const MAIL_QUEUE = "mail";

/** One mail to one address: the payload of a job in the mail queue. */
export interface Letter {
  readonly address: string;
  /** The TRIGGERED event, with its snapshot. */
  readonly event: NotificationEvent;
  /** Time at which the event was logged: after an outage, long after it was due. */
  readonly loggedAt: Millis;
}

/** A user's choice of mail, under their user id. */
export interface PreferenceRow {
  /** Addresses, case-folded. */
  readonly unsubscribed: readonly string[];
  readonly at: Millis;
}

type MailerEvent = Triggered | Chosen;

interface Triggered extends Keyed {
  readonly type: "triggered";
  readonly event: NotificationEvent;
}

interface Chosen extends Keyed {
  readonly type: "chosen";
  /** null: the choice was withdrawn. */
  readonly preference: Preference | null;
}

/**
 * Turns each notification into letters, one for each address of the recipient that isn't unsubscribed. A notification
 * that makes no letter is published as SUPPRESSED, with its reason.
 */
export const mailer: Processor<PreferenceRow, MailerEvent, SettingsBook> = {
  name: "mailer",
  inputs: ["preferences", "notifications"],
  home: "notifications",
  // Only this product writes these topics, so every record is on the partition of its key.
  strays: null,
  order: "arrival",
  upstream: [],
  multicasts,
  globalTable: settingsTable,
  read: (record): readonly MailerEvent[] => {
    const { key, at, loggedAt } = record;
    if (record.topic === "preferences") {
      if (record.value !== null) checkKey(key, "userId", record.value.userId);
      return [{ type: "chosen", key, at, loggedAt, preference: record.value }];
    }
    if (record.topic !== "notifications" || record.value?.type !== "TRIGGERED") return [];
    checkId(record.value.notificationId, "notificationId");
    return [{ type: "triggered", key: record.value.userId, at, loggedAt, event: record.value }];
  },
  rows: ({ key }) => [key],
  fold: (event, rows, book) => {
    switch (event.type) {
      case "due":
        return nothing;
      case "chosen":
        return foldPreference(event, rows.get(event.key));
      case "triggered":
        return { writes: [], effects: foldNotification(event, rows.get(event.key), book) };
    }
  },
  wake: () => null,
};

const foldPreference = ({ key, at, preference }: Chosen, known: PreferenceRow | undefined): Step<PreferenceRow> => {
  if (preference === null) return { writes: [[key, null]], effects: [] };
  if (known !== undefined && known.at > at) return nothing; // late: a newer choice replaced it already
  return { writes: [[key, { unsubscribed: preference.unsubscribed.map(caseFolded), at }]], effects: [] };
};

/** Returns an address in lower case. Mail servers ignore case, so an unsubscribed address counts in any spelling. */
export const caseFolded = (address: string): string => address.toLowerCase();

const foldNotification = (
  { event, at, loggedAt }: Triggered,
  known: PreferenceRow | undefined,
  book: SettingsBook,
): readonly Effect[] => {
  const { snapshot } = event;
  if (snapshot === null) throw new Poison(`the notification ${event.notificationId} was triggered without a snapshot`);
  const { emails, role } = snapshot.recipient;
  const different = emails.length < 2 ? emails : [...new Set(emails)];
  const unsubscribed = known?.unsubscribed ?? [];
  const addresses =
    unsubscribed.length === 0 ? different : different.filter((address) => !unsubscribed.includes(caseFolded(address)));
  if (emails.length === 0) return suppress(event, at, "no_address");
  if (!settingsAt(book, role, at).emailEnabled) return suppress(event, at, "role_disabled");
  if (addresses.length === 0) return suppress(event, at, "unsubscribed");
  if (!showsAnything(snapshot)) return suppress(event, at, "superseded");
  return addresses.map((address): Effect => {
    const problem = addressProblem(address);
    // Bounced before it is queued: such an address may not even fit in the id of a job.
    if (problem !== null)
      return notificationEvent(event, "BOUNCED", at, {
        email: address,
        reason: "hard",
        diagnostic: `not sent: ${problem}`,
      });
    const payload: Letter = { address, event, loggedAt };
    return { type: "enqueue", queue: MAIL_QUEUE, id: `${event.notificationId}/${address}`, payload, runAt: at };
  });
};

const suppress = (event: NotificationEvent, at: Millis, reason: Suppression): readonly Effect[] => {
  const { users, ...entry } = suppressedEntry(event, at, reason);
  return [notificationEvent(event, "SUPPRESSED", at, { reason }), note(entry, users)];
};

/** Checks that there is a message to show; system messages alone are nothing missed. */
const showsAnything = ({ conversations }: Snapshot): boolean =>
  conversations.some(({ messages }) => messages.some(({ kind }) => kind !== "SYSTEM"));
