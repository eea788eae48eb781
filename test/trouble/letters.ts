import type { Said } from "../../services/runtime/producer.ts";
import type { Triggered } from "../judge/judge.ts";
import { message, participant, user } from "../support/chat.ts";

const NAME = "letter-";

/** One message to someone who is never there, in a conversation of its own: whatever happens, one notification follows. */
export const letter = (index: number): readonly Said[] => {
  const said = { occurredAt: Date.now() };
  const [conversation, reader, writer] = [`${NAME}${index}`, `reader-${index}`, `writer-${index}`];
  return [
    user(reader, "0:00", said),
    participant(conversation, reader, "0:00", said),
    participant(conversation, writer, "0:00", said),
    message(conversation, writer, "m", "0:00", said),
  ];
};

/** What follows from so many; when, is another question (`timeless`). */
export const lettersTold = (count: number): readonly Triggered[] =>
  Array.from({ length: count }, (_none, index) => ({
    userId: `reader-${index}`,
    conversationId: `${NAME}${index}`,
    messageIds: ["m"],
    at: 0,
  }));

/** A letter's notification comes when the log has it, which nobody knows beforehand. */
export const timeless = (told: Triggered): Triggered =>
  told.conversationId?.startsWith(NAME) === true ? { ...told, at: 0 } : told;
