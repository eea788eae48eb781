// Mails as files: one .eml each, its envelope in the first line, so that one rename makes a mail exist or not.
import { renameSync, rmSync } from "node:fs";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { randomUUID } from "node:crypto";

/** Mails kept; the oldest go first. */
export const KEEP_MAILS = 5_000;
/** Bytes kept in all mails together; the oldest go first. */
export const KEEP_BYTES = 1024 * 1024 * 1024;

/** The name of a stored file's first header, which holds the envelope as JSON; the mail as it was sent follows. */
export const ENVELOPE_HEADER = "X-Mailbox-Envelope: ";
/** More than any envelope: 100 recipients of 320 bytes each. */
const ENVELOPE_LIMIT_BYTES = 64 * 1024;

/** The SMTP envelope (RFC 5321, section 2.3.1) of a mail that was accepted. */
export interface Envelope {
  /** MAIL FROM; "" for the null sender of bounces. */
  readonly from: string;
  /** RCPT TO, each that was accepted. */
  readonly to: readonly string[];
  /** Start of its DATA, in epoch milliseconds. */
  readonly receivedAt: number;
  /** The name the client signed in with, if it did. */
  readonly username: string;
}

/** A mail on disk. Ids sort, as text, in the order of acceptance. */
export interface StoredMail extends Envelope {
  readonly id: string;
  /** Its file: the envelope's line, then the mail. */
  readonly file: string;
  /** Bytes of the mail itself, as it was sent. */
  readonly size: number;
}

/** The mails of one folder, in memory but for their contents. */
export interface MailStore {
  /** The mails kept now, oldest first. */
  readonly mails: () => readonly StoredMail[];
  readonly find: (id: string) => StoredMail | undefined;
  /** Writes a mail; resolves once it is on disk under its name. If the source fails, nothing is kept. */
  readonly receive: (envelope: Envelope, source: AsyncIterable<Buffer>) => Promise<StoredMail>;
  /** The mail's bytes exactly as they were sent. */
  readonly raw: (mail: StoredMail) => Promise<Buffer>;
  readonly remove: (ids: Iterable<string>) => void;
  readonly onMail: (listener: (mail: StoredMail) => void) => () => void;
  /** Told of each mail that is no longer kept. */
  readonly onGone: (listener: (id: string) => void) => () => void;
}

/** Opens a folder of mails, making it if need be, and drops files that a crash left half written. */
export async function openMailStore(options: {
  readonly dir: string;
  readonly keepMails?: number;
  readonly keepBytes?: number;
}): Promise<MailStore> {
  const { dir, keepMails = KEEP_MAILS, keepBytes = KEEP_BYTES } = options;
  await mkdir(dir, { recursive: true });
  const arrivals = new Set<(mail: StoredMail) => void>();
  const departures = new Set<(id: string) => void>();
  const shelf = createShelf(keepMails, keepBytes, (id) => departures.forEach((listener) => listener(id)));
  for (const mail of await load(dir)) shelf.add(mail);
  const nextId = idsAfter(shelf.kept.keys().toArray().at(-1) ?? "");
  return {
    mails: () => [...shelf.kept.values()],
    find: (id) => shelf.kept.get(id),
    async receive(envelope, source) {
      const { part, size } = await writePart(dir, envelope, source);
      // No await from here to the end: the folder, the list and the ids have the same order.
      const id = nextId(envelope.receivedAt);
      const mail: StoredMail = { ...envelope, id, size, file: join(dir, `${id}.eml`) };
      renameSync(part, mail.file);
      shelf.add(mail);
      // A failing listener must not turn an accepted mail into a refused one.
      for (const listener of arrivals) queueMicrotask(() => listener(mail));
      return mail;
    },
    async raw({ file, size }) {
      const content = await readFile(file);
      return content.subarray(content.length - size);
    },
    remove(ids) {
      for (const id of ids) shelf.drop(id);
    },
    onMail: (listener) => subscribe(arrivals, listener),
    onGone: (listener) => subscribe(departures, listener),
  };
}

interface Shelf {
  readonly kept: ReadonlyMap<string, StoredMail>;
  /** Takes a mail, the newest of all, and drops the oldest beyond the limits. The newest always stays. */
  readonly add: (mail: StoredMail) => void;
  /** Drops a mail and its file. */
  readonly drop: (id: string) => void;
}

function createShelf(keepMails: number, keepBytes: number, onGone: (id: string) => void): Shelf {
  const kept = new Map<string, StoredMail>();
  let bytes = 0;
  const drop = (id: string): void => {
    const mail = kept.get(id);
    if (mail === undefined) return;
    rmSync(mail.file, { force: true });
    kept.delete(id);
    bytes -= mail.size;
    onGone(id);
  };
  const add = (mail: StoredMail): void => {
    kept.set(mail.id, mail);
    bytes += mail.size;
    for (const oldest of kept.keys()) {
      if (kept.size <= keepMails && (bytes <= keepBytes || kept.size === 1)) return;
      drop(oldest);
    }
  };
  return { kept, add, drop };
}

function subscribe<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

async function writePart(
  dir: string,
  envelope: Envelope,
  source: AsyncIterable<Buffer>,
): Promise<{ part: string; size: number }> {
  const part = join(dir, `${randomUUID()}.part`);
  let size = 0;
  try {
    await using file = await open(part, "wx");
    await file.write(`${ENVELOPE_HEADER}${JSON.stringify(envelope)}\r\n`);
    for await (const chunk of source) {
      await file.write(chunk);
      size += chunk.length;
    }
    await file.datasync();
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return { part, size };
}

/** Ids of 9 characters of time and 4 of count, each greater than the one before, even where the clock steps back. */
function idsAfter(last: string): (at: number) => string {
  let [time, count] = [parseInt(last.slice(0, 9), 36) || 0, parseInt(last.slice(9), 36) || 0];
  return (at) => {
    [time, count] = at > time ? [at, 0] : [time, count + 1];
    return time.toString(36).padStart(9, "0") + count.toString(36).padStart(4, "0");
  };
}

async function load(dir: string): Promise<StoredMail[]> {
  const mails: StoredMail[] = [];
  for (const name of (await readdir(dir)).toSorted()) {
    if (name.endsWith(".part")) await rm(join(dir, name), { force: true });
    const id = /^([0-9a-z]{13})\.eml$/.exec(name)?.[1];
    const mail = id === undefined ? undefined : await loadMail(join(dir, name), id);
    if (mail !== undefined) mails.push(mail);
  }
  return mails;
}

/** A stored mail, or undefined where the file is not one of ours. */
async function loadMail(file: string, id: string): Promise<StoredMail | undefined> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(ENVELOPE_LIMIT_BYTES), 0, ENVELOPE_LIMIT_BYTES, 0);
  const head = buffer.subarray(0, bytesRead);
  const end = head.indexOf("\r\n");
  if (end < 0 || !head.toString("latin1", 0, ENVELOPE_HEADER.length).startsWith(ENVELOPE_HEADER)) return undefined;
  const envelope = JSON.parse(head.toString("utf8", ENVELOPE_HEADER.length, end)) as Envelope;
  return { ...envelope, id, file, size: (await stat(file)).size - end - 2 };
}
