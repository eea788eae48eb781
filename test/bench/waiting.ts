import { isFanOut } from "../../services/domain/effect.ts";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { conversations } from "../../services/conversations/rule.ts";
import type { ChatRow } from "../../services/domain/conversation-rows.ts";
import { laneOf } from "../../services/platform/contract/lane.ts";
import type { RowWrite, Store } from "../../services/platform/contract/ports.ts";
import type { InboxEntry } from "../../services/domain/records.ts";
import { eachOf } from "../../services/platform/contract/processor.ts";
import type { SettingsBook } from "../../services/domain/role-settings.ts";
import type { Millis } from "../../services/platform/contract/time.ts";
import { inboxParts, standingKey } from "../../services/inboxes/saved-parts.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import type { Inbox } from "../../services/inboxes/state.ts";
import { message, participant, user } from "../support/chat.ts";
import { logRecord } from "../support/spec.ts";

/** Users whose rows are saved in one commit. */
const AT_ONCE = 5_000;

/** Time from which the settings hold. kafkajs takes a timestamp of 0 for none. */
export const SINCE_EVER: Millis = 1;

/** The store that gets the rows. */
export interface Place {
  readonly store: Pick<Store, "commit">;
  /** Partitions of the services' topics. */
  readonly lanes: number;
  readonly book: SettingsBook;
}

export const readerOf = (index: number): string => `reader-${index}`;
export const conversationOf = (index: number): string => `conversation-${index}`;

/**
 * Puts users into the store as the services would have saved them. Each is in a conversation of two with one message,
 * and has been told of nothing.
 * @param sentAt time of a user's message
 * @param processors whose rows are saved; those of conversations matter once a user is told of one
 */
export const wait = async (
  { store, lanes, book }: Place,
  from: number,
  count: number,
  sentAt: (index: number) => Millis,
  processors: readonly ("conversations" | "inboxes")[] = ["conversations", "inboxes"],
): Promise<void> => {
  for (let first = from; first < from + count; first += AT_ONCE) {
    const all = Array.from({ length: Math.min(AT_ONCE, from + count - first) }, (_none, place) =>
      waiting(first + place, sentAt(first + place), lanes, book),
    );
    for (const processor of processors)
      await store.commit({
        processor,
        lanes: [],
        revisit: null,
        rows: all.flatMap((one) => one[processor]),
        outbox: [],
        jobs: [],
      });
  }
};

const waiting = (index: number, at: Millis, lanes: number, book: SettingsBook) => {
  const conversation = conversationOf(index);
  const occurred = { occurredAt: at };
  const { rows, entries } = talk([
    participant(conversation, readerOf(index), "0:00", occurred),
    participant(conversation, `writer-${index}`, "0:00", occurred),
    message(conversation, `writer-${index}`, "m", "0:00", occurred),
  ]);
  const lane = laneOf(conversation, lanes);
  return {
    conversations: Array.from(rows, ([key, value]): RowWrite => ({
      lane,
      key,
      value,
      due: conversations.wake(value, undefined),
    })),
    inboxes: inboxOf(readerOf(index), at, entries, lanes, book),
  };
};

/** The records that `conversations` makes of a conversation's messages for the inboxes. */
const talk = (said: readonly NewRecord[]) => {
  const rows = new Map<string, ChatRow>();
  const entries: InboxEntry[] = [];
  const known = { get: (key: string) => rows.get(key), expect: () => undefined };
  for (const event of said.map(logRecord).flatMap(conversations.read)) {
    const { writes, effects } = conversations.fold(event, known, undefined);
    for (const [key, row] of writes) if (row !== null) rows.set(key, row);
    for (const effect of effects) if (isFanOut(effect)) entries.push(effect.entry);
  }
  return { rows, entries };
};

/** The parts of the inbox of a user who has received these records. */
const inboxOf = (
  reader: string,
  at: Millis,
  entries: readonly InboxEntry[],
  lanes: number,
  book: SettingsBook,
): readonly RowWrite[] => {
  let inbox: Inbox | undefined;
  const told = { topic: "inbox", key: "", value: { entries }, at, loggedAt: at } as const;
  const events = [logRecord(user(reader, "0:00", { occurredAt: at })), told].flatMap(inboxes.read).flatMap(eachOf);
  for (const event of events.filter(({ key }) => key === reader))
    for (const [, row] of inboxes.fold(event, { get: () => inbox, expect: () => undefined }, book).writes)
      inbox = row ?? undefined;
  if (inbox === undefined) return [];
  const due = inboxes.wake(inbox, book);
  return inboxParts.changed(reader, inbox).map(([key, value]) => ({
    lane: laneOf(reader, lanes),
    key,
    value,
    due: key === standingKey(reader) ? due : null,
  }));
};
