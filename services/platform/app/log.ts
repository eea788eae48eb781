import { type Logger, pino } from "pino";
import { listen } from "../runtime/facts.ts";

export type { Logger };

/** JSON lines on standard output, one for each thing that happened. The only file that imports `pino`. */
export const openLog = (level: string, name: string): Logger =>
  pino({ level, base: { service: name }, timestamp: pino.stdTimeFunctions.isoTime, messageKey: "message" });

/** Writes the loops' facts into the log until disposed of. Expected outcomes are no errors. */
export const logFacts = (log: Logger): Disposable => {
  const hearing = new DisposableStack();
  hearing.use(listen("claimed", (fact) => log.info(fact, "lanes claimed")));
  hearing.use(listen("committed", (fact) => log.debug(fact, "batch committed")));
  hearing.use(listen("fenced", (fact) => log.warn(fact, "commit refused: another holds a lane by now")));
  hearing.use(listen("deadLetter", (fact) => log.warn(fact, "record put with the dead letters")));
  hearing.use(listen("stuck", (fact) => log.error(fact, "a timer can't be folded and is put off")));
  hearing.use(listen("clamped", (fact) => log.warn(fact, "a record is from the future: taken for as late as it came")));
  hearing.use(listen("attempted", (fact) => log[fact.outcome === "dead" ? "warn" : "info"](fact, "attempted")));
  hearing.use(
    listen("stumbled", ({ loop, error, wait }) =>
      log.warn({ loop, wait, error: error.message }, "failed, will try again"),
    ),
  );
  hearing.use(
    listen("fell", ({ loop, error }) => log.error({ loop, error: error.message, stack: error.stack }, "failed")),
  );
  return hearing;
};
