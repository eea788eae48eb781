import type { Lane } from "./lane.ts";

/**
 * Names of the outbox's streams. A lane's stream has one writer, its owner, so its sequence numbers rise one by one
 * and a reader may drop what it has had by them; a queue's stream has many writers, and only the ids of what it
 * publishes tell a repeat.
 */
export const laneStream = (processor: string, lane: Lane): string => `${processor}/${lane}`;
export const queueStream = (queue: string): string => queue;
export const isLaneStream = (stream: string): boolean => stream.includes("/");

/** Headers of a relayed record: by them a reader drops repeats. */
export const STREAM_HEADER = "whileaway-stream";
export const SEQUENCE_HEADER = "whileaway-sequence";
