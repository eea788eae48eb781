import type { Effect } from "../core/effect.ts";
import { Poison } from "../core/failure.ts";
import { type Keyed, nothing, type Processor } from "../core/processor.ts";
import type { NotificationEvent, Snapshot } from "../core/records.ts";
import { addressProblem } from "./address.ts";
import { follow } from "./follow.ts";

/** Identity: names the queue and its outbox stream. */
export const MAIL_QUEUE = "mail";

/** Payload of a job of the queue: one mail to one address. */
export interface Letter {
  readonly address: string;
  /** The TRIGGERED event, with its snapshot. */
  readonly event: NotificationEvent;
}

interface Triggered extends Keyed {
  readonly event: NotificationEvent;
}

/**
 * Turns each notification into letters, one for each of the recipient's addresses; where there is nothing to send, or
 * no way to, it says so. Keeps no state.
 */
export const mailer: Processor<never, Triggered> = {
  name: "mailer",
  inputs: ["notifications"],
  home: "notifications",
  strays: null,
  upstream: [],
  read: (record) => {
    if (record.topic !== "notifications" || record.value?.type !== "TRIGGERED") return [];
    return [{ key: record.value.userId, at: record.at, event: record.value }];
  },
  rows: () => [],
  fold: (triggered) => ("event" in triggered ? { writes: [], effects: post(triggered) } : nothing),
  wake: () => null,
};

const post = ({ event, at }: Triggered): readonly Effect[] => {
  const { snapshot } = event;
  if (snapshot === null) throw new Poison(`the notification ${event.notificationId} was triggered without a snapshot`);
  const addresses = [...new Set(snapshot.recipient.emails)];
  if (addresses.length === 0) return [follow(event, "SUPPRESSED", at, { reason: "no_address" })];
  if (!showsAnything(snapshot)) return [follow(event, "SUPPRESSED", at, { reason: "superseded" })];
  return addresses.map((address): Effect => {
    const problem = addressProblem(address);
    // Bounced here and not in the work: such an address may not even be fit for the id of a job.
    if (problem !== null)
      return follow(event, "BOUNCED", at, { email: address, reason: "hard", diagnostic: `not sent: ${problem}` });
    const payload: Letter = { address, event };
    return { type: "enqueue", queue: MAIL_QUEUE, id: `${event.notificationId}/${address}`, payload, runAt: at };
  });
};

/** System messages alone are nothing that anybody missed. */
const showsAnything = ({ conversations }: Snapshot): boolean =>
  conversations.some(({ messages }) => messages.some(({ kind }) => kind !== "SYSTEM"));
