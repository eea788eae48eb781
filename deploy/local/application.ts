import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startChild } from "./child.ts";

/** Milliseconds before services that ended are started again, and in which they must be ready. */
const RESTART_AFTER = 500;
const READY_WITHIN = 300_000;
const LOOK_EVERY = 200;

/** All services in one process beside this one, started again whenever it ends. */
export interface Application extends AsyncDisposable {
  /** The pid of the process that runs now. */
  pid(): number | undefined;
  /** Resolves when the services report that they are ready. Rejects after five minutes. */
  ready(): Promise<void>;
}

const ALL = fileURLToPath(new URL("../../services/main.ts", import.meta.url));

/**
 * @param environment the services' whole settings; HTTP_PORT is the port of their health page
 * @param main the program that runs them
 */
export const startApplication = (
  dataDir: string,
  environment: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
  main = ALL,
): Application => {
  const start = () =>
    startChild(dataDir, {
      name: "services",
      command: process.execPath,
      args: [main],
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      environment: { ...environment },
      stop: "SIGTERM",
    });
  let child = start();
  let isStopping = false;

  const keepRunning = async (): Promise<void> => {
    for (;;) {
      await child.exit;
      if (isStopping) return;
      say(`services: ended (${child.ended() ?? "?"}), starting again\n${child.tail()}`);
      await delay(RESTART_AFTER);
      if (isStopping) return;
      child = start();
    }
  };
  const keeping = keepRunning();

  return {
    pid: () => child.pid,
    async ready() {
      const until = Date.now() + READY_WITHIN;
      while (!(await isReady(environment["HTTP_PORT"]))) {
        if (Date.now() > until)
          throw new Error(`the services are not ready after ${READY_WITHIN / 1000} s\n${child.tail()}`);
        await delay(LOOK_EVERY);
      }
    },
    async [Symbol.asyncDispose]() {
      isStopping = true;
      await child[Symbol.asyncDispose]();
      await keeping;
    },
  };
};

const isReady = async (port: string | undefined): Promise<boolean> => {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok;
  } catch {
    return false; // the services do not listen yet
  }
};
