import { type Logger, pino } from "pino";
import { listen } from "../runtime/facts.ts";

export type { Logger };

/** Opens the log: JSON lines on standard output, one for each fact. This file alone imports `pino`. */
export const openLog = (level: string, name: string): Logger =>
  pino({ level, base: { service: name }, timestamp: pino.stdTimeFunctions.isoTime, messageKey: "message" });

/** Writes the loops' facts into the log until disposed of. Expected outcomes are not logged as errors. */
export const logFacts = (log: Logger): Disposable => {
  const hearing = new DisposableStack();
  hearing.use(listen("claimed", (fact) => log.info(fact, "lanes claimed")));
  hearing.use(listen("committed", (fact) => log.debug(fact, "batch committed")));
  hearing.use(listen("fenced", (fact) => log.warn(fact, "commit refused: another process has claimed a lane")));
  hearing.use(listen("deadLetter", (fact) => log.warn(fact, "record cannot be processed; put with the dead letters")));
  hearing.use(listen("stuck", (fact) => log.error(fact, "timer cannot be folded; put off to be tried again later")));
  hearing.use(
    listen("clamped", (fact) => log.warn(fact, "record timestamp is in the future; clamped to its arrival time")),
  );
  hearing.use(listen("attempted", (fact) => log[fact.outcome === "dead" ? "warn" : "info"](fact, "attempted")));
  hearing.use(
    listen("stumbled", ({ loop, error, wait }) =>
      log.warn({ loop, wait, error: error.message }, "loop failed and will try again"),
    ),
  );
  hearing.use(
    listen("fell", ({ loop, error }) =>
      log.error({ loop, error: error.message, stack: error.stack }, "loop failed and has ended"),
    ),
  );
  return hearing;
};
