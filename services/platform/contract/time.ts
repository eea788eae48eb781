/** Milliseconds since the Unix epoch, as Avro's `timestamp-millis` and Kafka's record timestamps count them. */
export type Millis = number;

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The last time that `Date` has, and the negative of the first (ECMA-262, section 21.4.1.1). */
export const MAX_TIME: Millis = 8_640_000_000_000_000;
