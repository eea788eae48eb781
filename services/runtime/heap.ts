import { setFlagsFromString } from "node:v8";

/**
 * Has V8 weigh buffers with the heap. By itself it marks the whole heap for every 64 MiB of buffers that have come since it
 * did last: with hundreds of MiB of state in memory, what kafkajs and pg encode into cost more than all else that is done.
 */
export const weighBuffersWithHeap = (): void => setFlagsFromString("--external-memory-accounted-in-global-limit");
