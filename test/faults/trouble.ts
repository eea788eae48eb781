/** Tells whether every fault is tried in full (`npm run trouble`) or, in a run of all tests, some of each. */
export const IS_WHOLE = process.env["TROUBLE"] === "whole";

/** Seed of the workload, and of the kinds and moments of faults. It is printed, and SEED sets it. */
export const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Longest duration of a fault, and longest pause before the next, in milliseconds. */
export const LONGEST = IS_WHOLE ? 2_500 : 1_000;
