import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the local stack of this checkout keeps its data, unless DATA_DIR says otherwise. */
export const dataDir = (environment: Readonly<Record<string, string | undefined>>): string =>
  environment["DATA_DIR"] ?? fileURLToPath(new URL("../../.data", import.meta.url));

/** Addresses of a local stack that runs: all that an outside client needs. */
export interface StackAddresses {
  /** `host:port`, with commas */
  readonly kafka: string;
  /** Base URL of the Confluent-compatible API. */
  readonly registry: string;
  readonly postgres: string;
  readonly smtp: string;
  /** The mailbox page; Mailpit's API is below it. */
  readonly mailbox: string;
  /** Where a receiver is registered: POST {"url": …} answers with its id and secret. */
  readonly webhooks: string;
  /** The page of the demo's own webhook receiver. */
  readonly receiver: string;
  readonly metrics: string;
}

interface Noted {
  /** Who holds the stack. */
  readonly pid: number;
  readonly addresses: StackAddresses;
  /** Settings by which a service or a command uses this stack. */
  readonly environment: Readonly<Record<string, string>>;
}

const file = (folder: string): string => join(folder, "stack.json");

/** Notes the stack that runs, for this user's eyes only: it holds a password. Disposing takes the note away. */
export const noteStack = (folder: string, noted: Omit<Noted, "pid">): Disposable => {
  const draft = `${file(folder)}.new`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, ...noted }, null, 2), { mode: 0o600 });
  renameSync(draft, file(folder));
  return { [Symbol.dispose]: () => rmSync(file(folder), { force: true }) };
};

/** The stack that runs in this folder; null where none does. */
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
