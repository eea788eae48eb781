import type { NewRecord } from "../../services/domain/log-record.ts";
import type { ConversationId } from "../../services/domain/ids.ts";
import type { Triggered } from "../oracle/judge.ts";
import { message, participant, user } from "./chat.ts";

const MARK = "letter-";

/**
 * The records of one message to a user who is never online, in a conversation of its own: exactly one notification
 * follows.
 */
export const letter = (index: number): readonly NewRecord[] => {
  const said = { occurredAt: Date.now() };
  const { conversationId, userId: reader } = told(index);
  const writer = `writer-${index}`;
  return [
    user(reader, "0:00", said),
    participant(conversationId, reader, "0:00", said),
    participant(conversationId, writer, "0:00", said),
    message(conversationId, writer, "m", "0:00", said),
  ];
};

/** The notifications of so many letters. Their times depend on the log, and are left at 0. */
export const lettersTold = (count: number): readonly Triggered[] =>
  Array.from({ length: count }, (_none, index) => ({ ...told(index), messageIds: ["m"], at: 0 }));

export const isLetter = (conversation: ConversationId | null): boolean => conversation?.startsWith(MARK) === true;

const told = (index: number) => ({ userId: `reader-${index}`, conversationId: `${MARK}${index}` });
