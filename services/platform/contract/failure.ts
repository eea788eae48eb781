/**
 * The three kinds of failure. What the world is expected to answer (a refused mail, a missing endpoint) is a value,
 * not one of these.
 */

/** This record never can: it goes to the dead-letter topic and its partition goes on. */
export class Poison extends Error {
  override readonly name = "Poison";
}

/** The world can't now: wait, then do the same again. */
export class Transient extends Error {
  override readonly name = "Transient";
}

/** We are wrong, or set up wrongly: stop, and say what to do. */
export class Fatal extends Error {
  override readonly name = "Fatal";
}

/** Tells whether a pure function that threw this over a record would throw it again: then the record is poison. */
export const isPoisonous = (thrown: unknown): boolean => !(thrown instanceof Transient) && !(thrown instanceof Fatal);

/** The message of anything thrown, for a log line or a dead letter's reason. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
