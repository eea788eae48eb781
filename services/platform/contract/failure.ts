/**
 * The three kinds of failure. An answer that an outside system may be expected to give, such as a refusal, is a value and
 * none of these.
 */

/** A record that can never be processed: it goes to the dead-letter topic, and its partition goes on. */
export class Poison extends Error {
  override readonly name = "Poison";
}

/** An outside system fails now and may work later: wait, then do the same again. */
export class Transient extends Error {
  override readonly name = "Transient";
}

/** A bug or a wrong configuration: the process stops, and the message says what to do. */
export class Fatal extends Error {
  override readonly name = "Fatal";
}

/** Tells if a pure function that threw this over a record would throw it again, so that the record is poison. */
export const isPoisonous = (thrown: unknown): boolean => !(thrown instanceof Transient) && !(thrown instanceof Fatal);

/** The message of anything thrown, for a log line or a dead letter's reason. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
