import { once } from "node:events";
import type { FastifyReply, FastifyRequest } from "fastify";

/** Open streams at a time; a browser tab holds one. */
const STREAMS_LIMIT = 50;
/** Milliseconds between two comments that keep proxies and clients from closing the connection. */
const HEARTBEAT_MS = 15_000;
/** Items taken from a feed at a time. */
const TURN_ITEMS = 50;

let open = 0;

/** A growing list, each item with a cursor that sorts after the one before as text. */
export interface Feed<Item> {
  /** The items after a cursor, oldest first, at most `limit` of them. */
  readonly after: (cursor: string, limit: number) => readonly Item[];
  /** Number of items after a cursor. */
  readonly countAfter: (cursor: string) => number;
  readonly newest: () => string;
  readonly onGrowth: (listener: () => void) => () => void;
}

/** One Server-Sent Event (HTML Living Standard, section 9.2). */
export interface LiveEvent {
  readonly event: string;
  readonly data: string;
}

/** Options of a feed's stream. */
export interface Telling<Item> {
  readonly cursorOf: (item: Item) => string;
  /** The events of one item; none, if this reader does not care for it. */
  readonly tell: (item: Item) => Promise<readonly LiveEvent[]> | readonly LiveEvent[];
  /**
   * A reader further behind than this many items is told `reload` instead of each of them; without it, every one is
   * told.
   */
  readonly reloadBehind?: number;
}

/**
 * Answers a request with a feed's items as they come, each with its cursor as the event's id. A reader who was away
 * (Last-Event-ID, or `?since=`) gets missed items first, so that none is lost between a page and its stream.
 */
export async function streamFeed<Item>(
  request: FastifyRequest,
  reply: FastifyReply,
  feed: Feed<Item>,
  telling: Telling<Item>,
): Promise<void> {
  if (open >= STREAMS_LIMIT) {
    await reply.code(503).header("retry-after", "5").type("text/plain").send("Too many live readers.\n");
    return;
  }
  open += 1;
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  const headers = { ...reply.getHeaders(), "content-type": "text/event-stream; charset=utf-8" };
  reply.hijack();
  reply.raw.writeHead(200, headers as Record<string, string>);
  reply.raw.write("retry: 1000\n\n");
  const heartbeat = setInterval(() => reply.raw.write(": still here\n\n"), HEARTBEAT_MS).unref();
  try {
    await tellAll(reply, feed, telling, since(request, feed.newest()), gone.signal);
  } catch {
    // The reader left in the middle of a write, or an item could not be told: the reader connects again by itself.
    reply.raw.destroy();
  } finally {
    clearInterval(heartbeat);
    open -= 1;
  }
}

async function tellAll<Item>(
  reply: FastifyReply,
  feed: Feed<Item>,
  telling: Telling<Item>,
  from: string,
  gone: AbortSignal,
): Promise<void> {
  const growth = growthOf(feed, gone);
  try {
    for (let cursor = from; !gone.aborted;) {
      const items = feed.after(cursor, TURN_ITEMS);
      if (items.length === 0) {
        await growth.next();
      } else if (telling.reloadBehind !== undefined && feed.countAfter(cursor) > telling.reloadBehind) {
        cursor = feed.newest();
        await write(reply, `id: ${cursor}\nevent: reload\ndata: \n\n`, gone);
      } else {
        for (const item of items) {
          cursor = telling.cursorOf(item);
          for (const event of await telling.tell(item)) await write(reply, frame(cursor, event), gone);
        }
      }
    }
  } finally {
    growth.stop();
  }
}

/** Waits for growth since the last wait, so that no item is missed while another is being told. */
function growthOf(feed: Feed<unknown>, gone: AbortSignal): { next: () => Promise<void>; stop: () => void } {
  let grown = false;
  let wake = (): void => {};
  const notice = (): void => {
    grown = true;
    wake();
  };
  const off = feed.onGrowth(notice);
  gone.addEventListener("abort", notice, { once: true });
  return {
    next: async () => {
      if (!grown) await new Promise<void>((resolve) => (wake = resolve));
      grown = false;
    },
    stop: off,
  };
}

async function write(reply: FastifyReply, text: string, gone: AbortSignal): Promise<void> {
  if (gone.aborted) return;
  if (!reply.raw.write(text)) await once(reply.raw, "drain", { signal: gone });
}

function frame(id: string, { event, data }: LiveEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `id: ${id}\nevent: ${event}\n${lines.join("")}\n`;
}

function since(request: FastifyRequest, newest: string): string {
  const header = request.headers["last-event-id"];
  const asked = typeof header === "string" ? header : (request.query as { since?: unknown }).since;
  return typeof asked === "string" ? asked : newest;
}
