import type { MessageEvent, ParticipantEvent } from "../../services/domain/records.ts";
import type { Told } from "./spec.ts";
import { conversation, message, participant } from "./chat.ts";

/** Short builders for the conversation "c" and its recipients' entries. */

type OfMessage = Partial<MessageEvent>;
type OfParticipant = Partial<ParticipantEvent>;

export const joined = (user: string, more: OfParticipant = {}) => participant("c", user, "12:00", more);
export const left = (user: string, clock = "12:05") => participant("c", user, clock, { type: "LEFT" });
export const updated = (user: string, more: OfParticipant) =>
  participant("c", user, "12:05", { type: "UPDATED", ...more });

/** Bob writes. */
export const sent = (id: string, more: OfMessage = {}) => message("c", "bob", id, "12:01", more);
export const edited = (id: string, clock: string, more: OfMessage = {}) =>
  message("c", "bob", id, clock, { type: "EDITED", text: `as of ${clock}`, ...more });
export const deleted = (id: string, clock = "12:02") => message("c", "bob", id, clock, { type: "DELETED", text: "" });

/** The conversation's tombstone. */
export const closedAt = (clock: string) => {
  const described = conversation("c", clock);
  return { ...described, value: null, timestamp: described.value?.occurredAt ?? 0 };
};

export const candidate = (messageId: string, ...recipients: readonly string[]): Told => ({
  type: "CANDIDATE",
  messageId,
  recipients,
});
export const own = (messageId: string, recipient: string): Told => ({
  type: "OWN",
  messageId,
  recipients: [recipient],
});
export const mentions = (messageId: string, recipients: readonly string[], ...mentioned: readonly string[]): Told => ({
  type: "EDITED",
  messageId,
  recipients,
  ...(mentioned.length === 0 ? {} : { mentioned }),
});
export const withdrawn = (messageId: string, reason: string, ...recipients: readonly string[]): Told => ({
  type: "WITHDRAWN",
  messageId,
  reason,
  recipients,
});
export const closed = (reason: string, ...recipients: readonly string[]): Told => ({
  type: "CLOSED",
  reason,
  recipients,
});
