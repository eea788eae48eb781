import { linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalStackError } from "./errors.ts";
import { runs, self, signal, startedAt, type Identity } from "./identity.ts";
import type { Voice } from "./voice.ts";
import { until } from "./ready.ts";

const ATTEMPTS = 5;
/** Milliseconds for the orderly end of leftovers, which their watchdogs have begun. */
const LEAVE_MS = 30_000;
/** Milliseconds after a signal of ours. */
const OBEY_MS = 10_000;

/**
 * Takes a data folder for this process. Throws LocalStackError while another living process holds it; a holder that
 * died is replaced.
 */
export function holdFolder(dataDir: string): Disposable {
  const file = join(runFolder(dataDir), "holder.json");
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(self()));
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (linked(mine, file)) return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
      const holder = readIdentity(file);
      if (holder && runs(holder)) throw held(dataDir, holder);
      takeAway(file, dataDir);
    }
  } finally {
    unlinkSync(mine);
  }
  throw new LocalStackError(`could not take ${file}: other processes keep taking it, start again`);
}

/** Notes a child, so that the next start finds it if this process dies and the child does not. */
export function noteChild(dataDir: string, name: string, pid: number): Disposable {
  const file = join(runFolder(dataDir), `${name}.pid.json`);
  const started = startedAt(pid);
  // Gone already: there is nothing to find later.
  if (started) writeFileSync(file, JSON.stringify({ pid, started } satisfies Identity));
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

/**
 * Waits for processes that an earlier run of this folder left running, then ends them. A stranger with the same pid is
 * left alone.
 */
export async function endLeftovers(dataDir: string, voice: Pick<Voice, "say">): Promise<void> {
  const folder = runFolder(dataDir);
  const names = readdirSync(folder).filter((name) => name.endsWith(".pid.json"));
  await Promise.all(
    names.map(async (name) => {
      const child = readIdentity(join(folder, name));
      if (child && runs(child)) {
        voice.say(`${name.replace(".pid.json", "")}: waiting for process ${child.pid} of the run before to end`);
        const gone = async () => !runs(child);
        if (!(await until(gone, LEAVE_MS))) signal(child, "SIGTERM");
        if (!(await until(gone, OBEY_MS))) signal(child, "SIGKILL");
        await until(gone, OBEY_MS);
      }
      rmSync(join(folder, name), { force: true });
    }),
  );
}

function runFolder(dataDir: string): string {
  const folder = join(dataDir, "run");
  mkdirSync(folder, { recursive: true });
  return folder;
}

// A link makes the file whole or not at all, unlike create-then-write: nobody reads a half-written holder.
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

// Two may find the same dead holder. The slower one may take away the file of the faster one, and puts it back.
function takeAway(file: string, dataDir: string): void {
  const aside = `${file}.${process.pid}.old`;
  try {
    renameSync(file, aside);
  } catch {
    return; // the other was faster
  }
  const holder = readIdentity(aside);
  const living = holder && runs(holder);
  if (living) linked(aside, file);
  unlinkSync(aside);
  if (living) throw held(dataDir, holder);
}

function held(dataDir: string, holder: Identity): LocalStackError {
  return new LocalStackError(
    `${dataDir} is in use by a stack that runs already (process ${holder.pid}); stop that one, or use another folder`,
  );
}

function readIdentity(file: string): Identity | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Identity;
  } catch {
    return undefined;
  }
}
