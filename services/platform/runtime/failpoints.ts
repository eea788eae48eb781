/**
 * Moments at which it matters most that a process may die: what is done is not on record yet, or not handed on. They
 * cost nothing unless a test has something struck there.
 */
export type Failpoint =
  /** A batch is folded; nothing of it is saved. */
  | "folded"
  /** It is saved; what follows from it is not on its way. */
  | "committed"
  /** The log has it; the store doesn't know. */
  | "published"
  /** A job is leased; nothing of it has left. */
  | "leased"
  /** An endpoint has answered; no row of the attempt is written. */
  | "answered"
  /** A mail server or an endpoint has answered, and the job isn't settled. */
  | "attempted";

/** @param who the processor or queue that has come there; the relay serves all: none */
export type Strike = (point: Failpoint, who: string) => void;

let strike: Strike | null = null;

/** Says that this moment has come. */
export const passFailpoint = (point: Failpoint, who = ""): void => strike?.(point, who);

/** For tests: has something done wherever a point is passed in this process. */
export const armFailpoints = (what: Strike): void => {
  strike = what;
};
