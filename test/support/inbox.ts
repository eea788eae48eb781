import type { NewRecord } from "../../services/domain/log-record.ts";
import type { ChatRow } from "../../services/domain/conversation-rows.ts";
import type { InboxEntry, PresenceEvent, User } from "../../services/domain/records.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import { at, presence, user } from "./chat.ts";
import { bookOf } from "./settings.ts";
import { of } from "./spec.ts";

/** Short builders for the records of ada's inbox. */

const fiveMinutes = bookOf({ timeout: 300 });
export const ada = of(inboxes, fiveMinutes);
/** Settings that tell at once. */
export const eager = of(inboxes, bookOf());
/** The settings, with rows of conversations. */
export const adaWith = (...chat: readonly ChatRow[]) => of(inboxes, fiveMinutes, chat);

/** An inbox record with one entry. */
export const entry = (
  type: InboxEntry["type"],
  conversationId: string,
  clock: string,
  more: Partial<InboxEntry> = {},
): NewRecord => ({
  topic: "inbox",
  key: "",
  timestamp: at(clock),
  value: {
    entries: [
      {
        type,
        conversationId,
        messageId: null,
        senderId: null,
        sentAt: at(clock),
        reason: null,
        recipients: ["ada"],
        mentioned: [],
        since: null,
        occurredAt: at(clock),
        loggedAt: at(clock),
        ...more,
      },
    ],
  },
});

/** A message of bob's that ada may have missed. */
export const missed = (messageId: string, clock: string, more: Partial<InboxEntry> = {}): NewRecord =>
  entry("CANDIDATE", more.conversationId ?? "c", clock, { messageId, senderId: "bob", ...more });
export const wrote = (clock: string): NewRecord => entry("OWN", "c", clock, { messageId: "own", senderId: "ada" });
export const withdrawn = (messageId: string, clock: string): NewRecord =>
  entry("WITHDRAWN", "c", clock, { messageId, reason: "deleted" });
export const editedFor = (messageId: string, clock: string, ...mentioned: readonly string[]): NewRecord =>
  entry("EDITED", "c", clock, { messageId, mentioned });
export const closed = (clock: string): NewRecord => entry("CLOSED", "c", clock, { reason: "left" });
export const mentionsOnly = (clock: string): NewRecord => entry("MENTIONS_ONLY", "c", clock);

/** A sign of life of a session, with a conversation on screen or none. */
export const online = (clock: string, sessionId = "tab", screen: string | null = null): NewRecord =>
  presence("ada", "ONLINE", clock, { sessionId, conversationId: screen });
export const heartbeat = (clock: string, sessionId = "tab", screen: string | null = null): NewRecord =>
  presence("ada", "HEARTBEAT", clock, { sessionId, conversationId: screen });
export const offline = (clock: string, sessionId = "tab"): NewRecord =>
  presence("ada", "OFFLINE", clock, { sessionId });
export const reads = (clock: string, until: string | null = null, more: Partial<PresenceEvent> = {}): NewRecord =>
  presence("ada", "READ", clock, { conversationId: "c", readUntil: until === null ? null : at(until), ...more });

export const profile = (clock: string, more: Partial<User> = {}): NewRecord => user("ada", clock, more);
export const deletedUser = (clock: string): NewRecord => ({
  topic: "users",
  key: "ada",
  value: null,
  timestamp: at(clock),
});

/** Puts the entries of several records into one. */
export const together = (said: readonly NewRecord[]): NewRecord => {
  const entries = said.flatMap(({ topic, value }) => (topic === "inbox" ? (value?.entries ?? []) : []));
  return { topic: "inbox", key: "", value: { entries }, timestamp: said.at(-1)?.timestamp ?? 0 };
};
