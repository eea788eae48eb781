import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Data folder of this checkout's local stack: DATA_DIR, by default `.data`. */
export const dataDir = (environment: Readonly<Record<string, string | undefined>>): string =>
  environment["DATA_DIR"] ?? fileURLToPath(new URL("../../.data", import.meta.url));

/** Addresses of a running local stack, for outside clients. */
export interface StackAddresses {
  /** `host:port`, with commas */
  readonly kafka: string;
  /** Base URL of the Confluent-compatible API. */
  readonly registry: string;
  readonly postgres: string;
  readonly smtp: string;
  /** The mailbox page; Mailpit's API is below it. */
  readonly mailbox: string;
  /** URL for registering a receiver: POST {"url": …} answers with its id and secret. */
  readonly webhooks: string;
  /** The page of the demo's own webhook receiver. */
  readonly receiver: string;
  readonly metrics: string;
}

interface Noted {
  /** Process that holds the stack. */
  readonly pid: number;
  readonly addresses: StackAddresses;
  /** Environment variables with which a service or a command uses this stack. */
  readonly environment: Readonly<Record<string, string>>;
}

const file = (folder: string): string => join(folder, "stack.json");

/** Notes the running stack in a file that only this user can read, because it has a password. Disposing deletes the file. */
export const noteStack = (folder: string, noted: Omit<Noted, "pid">): Disposable => {
  const draft = `${file(folder)}.new`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, ...noted }, null, 2), { mode: 0o600 });
  renameSync(draft, file(folder));
  return { [Symbol.dispose]: () => rmSync(file(folder), { force: true }) };
};

/** Reads the stack that runs in this folder; null: none runs. */
export const runningStack = (folder: string): Noted | null => {
  if (!existsSync(file(folder))) return null;
  const noted = JSON.parse(readFileSync(file(folder), "utf8")) as Noted;
  return isAlive(noted.pid) ? noted : null;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
