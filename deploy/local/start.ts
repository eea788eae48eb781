/**
 * `npm start`: the whole stack with a small live chat, mail and webhooks to look at. `--fresh` forgets earlier runs'
 * data, `--once` plays one act and ends with 0 when every expected mail has arrived, once, else with 1; `--idle` plays
 * nothing and waits for others' traffic.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../../services/platform/contract/failure.ts";
import { dataDir } from "../../services/ops/stack.ts";
import { LocalStackError } from "./errors.ts";
import { runDemo } from "./run.ts";

const { values: options } = parseArgs({
  options: {
    fresh: { type: "boolean", default: false },
    once: { type: "boolean", default: false },
    idle: { type: "boolean", default: false },
  },
});

const folder = dataDir(process.env);
const cacheDir =
  process.env["CACHE_DIR"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "whileaway");

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());

try {
  process.exitCode = await runDemo({
    folder,
    cacheDir,
    isFresh: options.fresh,
    act: options.once ? "once" : options.idle ? "none" : "endless",
    say: (line) => console.log(line),
    signal: stop.signal,
  });
} catch (error) {
  console.error(error instanceof LocalStackError ? error.message : error);
  console.error(`npm start: ${messageOf(error).split("\n")[0]}`);
  process.exitCode = 1;
}
// All parts have been stopped; a client library that still holds a handle must not keep the terminal.
setTimeout(() => process.exit(), 1_000).unref();
