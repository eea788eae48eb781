import type { Said } from "../../services/runtime/producer.ts";
import { message, participant, user } from "../support/chat.ts";

/** One message to someone who is never there, in a conversation of its own: whatever happens, one notification follows. */
export const letter = (index: number): readonly Said[] => {
  const said = { occurredAt: Date.now() };
  const [conversation, reader, writer] = [`letter-${index}`, `reader-${index}`, `writer-${index}`];
  return [
    user(reader, "0:00", said),
    participant(conversation, reader, "0:00", said),
    participant(conversation, writer, "0:00", said),
    message(conversation, writer, "m", "0:00", said),
  ];
};
