/** Milliseconds since the Unix epoch, as Avro's `timestamp-millis` and Kafka's record timestamps count them. */
export type Millis = number;

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
