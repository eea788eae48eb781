/** `npm run trouble`: all of every fault; else, in a run of all tests, some of each. */
export const IS_WHOLE = process.env["TROUBLE"] === "whole";

/** Of the workload, and of where and when faults strike; printed, and given by SEED. */
export const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Milliseconds that a trouble lasts, and that there is none before the next, at most. */
export const LONGEST = IS_WHOLE ? 2_500 : 1_000;
