import { type Effect, type Processor, type Step, multicasts, note } from "../domain/effect.ts";
import { Poison } from "../platform/contract/failure.ts";
import { checkId } from "../platform/contract/identity.ts";
import { type Keyed, nothing } from "../platform/contract/processor.ts";
import type { NotificationEvent, Preference, Snapshot } from "../domain/records.ts";
import { settingsAt, type SettingsBook, settingsTable } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";
import { addressProblem } from "./smtp/address.ts";
import { follow } from "./notification-event.ts";
import { type Suppression, suppressedEntry } from "./suppression.ts";

/** Identity: names the queue and its outbox stream. */
export const MAIL_QUEUE = "mail";

/** Payload of a job of the queue: one mail to one address. */
export interface Letter {
  readonly address: string;
  /** The TRIGGERED event, with its snapshot. */
  readonly event: NotificationEvent;
  /** When the log had it: after an outage, long after it was due. */
  readonly loggedAt: Millis;
}

/** What a person has chosen about all their mail; the row's key is their user id. */
export interface PreferenceRow {
  /** In lower case. */
  readonly unsubscribed: readonly string[];
  readonly at: Millis;
}

type LetterEvent = Triggered | Chosen;

interface Triggered extends Keyed {
  readonly type: "triggered";
  readonly event: NotificationEvent;
}

interface Chosen extends Keyed {
  readonly type: "chosen";
  /** null: they have taken their choice back. */
  readonly preference: Preference | null;
}

/**
 * Turns each notification into letters, one for each of the recipient's addresses that wants it; where there is
 * nothing to send, or nobody to send it to, it says so.
 */
export const mailer: Processor<PreferenceRow, LetterEvent, SettingsBook> = {
  name: "mailer",
  inputs: ["preferences", "notifications"],
  home: "notifications",
  // Only we write these topics, by our own producer: every record is on the partition of its key.
  strays: null,
  order: "arrival",
  upstream: [],
  multicasts,
  globalTable: settingsTable,
  read: (record): readonly LetterEvent[] => {
    const { key, at, loggedAt } = record;
    if (record.topic === "preferences")
      return [{ type: "chosen", key, at, loggedAt, preference: checked(key, record.value) }];
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
        return choose(event, rows.get(event.key));
      case "triggered":
        return { writes: [], effects: post(event, rows.get(event.key), book) };
    }
  },
  wake: () => null,
};

const checked = (key: string, preference: Preference | null): Preference | null => {
  if (preference !== null && preference.userId !== key)
    throw new Poison(`its key is "${key}" but its userId "${preference.userId}"`);
  return preference;
};

const choose = ({ key, at, preference }: Chosen, known: PreferenceRow | undefined): Step<PreferenceRow> => {
  if (preference === null) return { writes: [[key, null]], effects: [] };
  if (known !== undefined && known.at > at) return nothing; // late: a later choice, whole, is known
  return { writes: [[key, { unsubscribed: preference.unsubscribed.map(folded), at }]], effects: [] };
};

/** Servers that tell letters' case apart in addresses are no longer seen: who unsubscribed one writing means them all. */
export const folded = (address: string): string => address.toLowerCase();

const post = (
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
    unsubscribed.length === 0 ? different : different.filter((address) => !unsubscribed.includes(folded(address)));
  if (emails.length === 0) return suppress(event, at, "no_address");
  if (!settingsAt(book, role, at).emailEnabled) return suppress(event, at, "role_disabled");
  if (addresses.length === 0) return suppress(event, at, "unsubscribed");
  if (!showsAnything(snapshot)) return suppress(event, at, "superseded");
  return addresses.map((address): Effect => {
    const problem = addressProblem(address);
    // Bounced here and not in the work: such an address may not even be fit for the id of a job.
    if (problem !== null)
      return follow(event, "BOUNCED", at, { email: address, reason: "hard", diagnostic: `not sent: ${problem}` });
    const payload: Letter = { address, event, loggedAt };
    return { type: "enqueue", queue: MAIL_QUEUE, id: `${event.notificationId}/${address}`, payload, runAt: at };
  });
};

const suppress = (event: NotificationEvent, at: Millis, reason: Suppression): readonly Effect[] => {
  const { users, ...entry } = suppressedEntry(event, at, reason);
  return [follow(event, "SUPPRESSED", at, { reason }), note(entry, users)];
};

/** System messages alone are nothing that anybody missed. */
const showsAnything = ({ conversations }: Snapshot): boolean =>
  conversations.some(({ messages }) => messages.some(({ kind }) => kind !== "SYSTEM"));
