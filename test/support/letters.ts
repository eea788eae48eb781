import type { NewRecord } from "../../services/domain/log-record.ts";
import type { ConversationId } from "../../services/domain/ids.ts";
import type { Triggered } from "../oracle/judge.ts";
import { message, participant, user } from "./chat.ts";

const MARK = "letter-";

/** One message to someone who is never there, in a conversation of its own: whatever happens, one notification follows. */
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

/** What follows from so many letters; each when the log has it, which nobody knows beforehand. */
export const lettersTold = (count: number): readonly Triggered[] =>
  Array.from({ length: count }, (_none, index) => ({ ...told(index), messageIds: ["m"], at: 0 }));

export const isLetter = (conversation: ConversationId | null): boolean => conversation?.startsWith(MARK) === true;

const told = (index: number) => ({ userId: `reader-${index}`, conversationId: `${MARK}${index}` });
