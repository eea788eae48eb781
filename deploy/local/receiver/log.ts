import { appendFile, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** A log file is put aside when it is larger than this. */
export const LOG_FILE_BYTES = 16 * 1024 * 1024;
/** Files kept, the one being written among them. */
export const LOG_FILES = 4;
/** Lines waiting for the disk; more are dropped (and counted) rather than kept in memory without end. */
const LINES_WAITING_LIMIT = 20_000;

/** JSON lines in `deliveries.jsonl`, older ones in `deliveries.1.jsonl` and so on. */
export interface JsonLog extends AsyncDisposable {
  /** Puts a record in line to be written. */
  readonly append: (record: object) => void;
  /** Resolves when all records appended before are written. */
  readonly flush: () => Promise<void>;
  /** Records that were dropped because the disk was too slow, or could not be written. */
  readonly dropped: () => number;
}

/** The records of earlier runs, oldest first; a line that a crash cut short is skipped. */
export async function readJsonLog(dir: string): Promise<unknown[]> {
  const records: unknown[] = [];
  for (let age = LOG_FILES - 1; age >= 0; age--) {
    const content = await readFile(fileOf(dir, age), "utf8").catch(() => "");
    for (const line of content.split("\n")) if (line !== "") records.push(...parsed(line));
  }
  return records;
}

/** Opens the log of a folder, making it if need be. */
export async function openJsonLog(dir: string, fileBytes: number = LOG_FILE_BYTES): Promise<JsonLog> {
  await mkdir(dir, { recursive: true });
  let bytes = await stat(fileOf(dir, 0)).then(
    ({ size }) => size,
    () => 0,
  );
  // Ends a line that a crash may have left open.
  let waiting: string[] = bytes === 0 ? [] : ["\n"];
  let dropped = 0;
  let writing: Promise<void> | undefined;

  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      const text = lines.join("");
      try {
        await appendFile(fileOf(dir, 0), text);
        bytes += Buffer.byteLength(text);
        if (bytes > fileBytes) bytes = await rotate(dir);
      } catch {
        dropped += lines.length;
      }
    }
    writing = undefined;
  };
  const flush = (): Promise<void> => writing ?? Promise.resolve();
  return {
    append(record) {
      if (waiting.length >= LINES_WAITING_LIMIT) dropped += 1;
      else waiting.push(`${JSON.stringify(record)}\n`);
      writing ??= writeAll();
    },
    flush,
    dropped: () => dropped,
    [Symbol.asyncDispose]: flush,
  };
}

async function rotate(dir: string): Promise<number> {
  await rm(fileOf(dir, LOG_FILES - 1), { force: true });
  for (let age = LOG_FILES - 2; age >= 0; age--) await rename(fileOf(dir, age), fileOf(dir, age + 1)).catch(() => {});
  return 0;
}

function fileOf(dir: string, age: number): string {
  return join(dir, age === 0 ? "deliveries.jsonl" : `deliveries.${age}.jsonl`);
}

function parsed(line: string): unknown[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
