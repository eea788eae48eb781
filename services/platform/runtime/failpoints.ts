/**
 * Failpoints: the moments at which a crash matters most, because the last action is not recorded or not handed on yet. They
 * cost nothing unless a test arms them.
 */
export type Failpoint =
  /** A batch is folded; nothing of it is saved. */
  | "folded"
  /** The batch is saved; its outbox and its jobs are not handed on. */
  | "committed"
  /** The log has the records; the store does not know it. */
  | "published"
  /** A job is leased; nothing of it is sent. */
  | "leased"
  /** An outside system has answered; the service's own row about the attempt is not written. */
  | "answered"
  /** An outside system has answered; the job is not settled. */
  | "attempted";

/** @param loop the processor or queue that has come to the failpoint; "" for the relay, which serves all */
export type FailpointListener = (point: Failpoint, loop: string) => void;

let listener: FailpointListener | null = null;

/** Notes that a failpoint is passed. @param loop as for FailpointListener */
export const passFailpoint = (point: Failpoint, loop = ""): void => listener?.(point, loop);

/** For tests: calls the listener wherever a failpoint is passed in this process. */
export const armFailpoints = (armed: FailpointListener): void => {
  listener = armed;
};
