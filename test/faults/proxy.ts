import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** The behaviour of connections while it lasts. */
export type Manner =
  /** Connections pass as if there were no proxy. */
  | { readonly type: "pass" }
  /** Every piece is delayed by some milliseconds. */
  | { readonly type: "slow"; readonly latency: number }
  | { readonly type: "throttled"; readonly bytesPerSecond: number }
  /** Nothing comes through. Bytes sent meanwhile come through afterwards. */
  | { readonly type: "stalled" }
  /** New connections are refused. */
  | { readonly type: "closed" }
  /**
   * A connection is cut where its client sends this text, before or after the text is handed on: the client can't know.
   */
  | { readonly type: "cut at"; readonly text: string | Says; readonly isHandedOn: boolean }
  /** A client that sends this text is answered only afterwards, and its later requests too. */
  | { readonly type: "unanswered at"; readonly text: string | Says }
  /** A client gets half of the next answer, and is cut off. */
  | { readonly type: "halved" };

/** Tells whether a client sends the text in this piece, or in this message where the proxy knows messages. */
export type Says = (piece: Buffer) => boolean;

/** The length of the message that begins with these bytes; null while its length has not come. */
export type Measure = (bytes: Buffer) => number | null;

/** A TCP server in front of another. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  behave(manner: Manner): void;
  /** Ends all connections, in good order or with a reset. Returns their number. */
  cut(how: "end" | "reset"): number;
  /** Silences all connections for good, as when a host is gone without a word. Returns their number. */
  silence(): number;
  /** Number of connections that were cut or left without an answer, at a text or halfway through an answer. */
  readonly cuts: () => number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isUnanswered: boolean;
  isSilent: boolean;
}

const HOST = "127.0.0.1";

const never = new Promise<never>(() => undefined);

interface Running {
  readonly pairs: Set<Pair>;
  readonly measure: Measure | null;
  manner: Manner;
  /** Settled, and made anew, when the behaviour changes. */
  changed: PromiseWithResolvers<void>;
  cuts: number;
}

/**
 * @param target address that the proxy hands on to
 * @param measure tells messages apart; with it whole messages are handed on, without it pieces as they come
 */
export const startProxy = async (
  target: { readonly host: string; readonly port: number },
  measure: Measure | null = null,
): Promise<Proxy> => {
  const pairs = new Set<Pair>();
  const proxy: Running = {
    pairs,
    measure,
    manner: { type: "pass" },
    changed: Promise.withResolvers<void>(),
    cuts: 0,
  };
  const listener = createServer((client) => {
    if (proxy.manner.type === "closed") client.resetAndDestroy();
    else join(proxy, client, connect(target));
  });
  listener.listen(0, HOST);
  await once(listener, "listening");

  const open = (): readonly Pair[] => [...pairs].filter(({ client, server }) => !client.destroyed && !server.destroyed);

  return {
    port: (listener.address() as AddressInfo).port,
    behave(next) {
      proxy.manner = next;
      for (const pair of pairs) pair.isUnanswered = false;
      proxy.changed.resolve();
      proxy.changed = Promise.withResolvers();
    },
    cut(how) {
      const all = open();
      for (const pair of all) destroy(pair, how);
      return all.length;
    },
    silence() {
      const all = open();
      for (const pair of all) pair.isSilent = true;
      return all.length;
    },
    cuts: () => proxy.cuts,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const pair of pairs) destroy(pair, "end");
      await once(listener, "close");
    },
  };
};

const destroy = (pair: Pair, how: "end" | "reset"): void => {
  for (const socket of [pair.client, pair.server]) {
    if (how === "reset") socket.resetAndDestroy();
    else socket.destroy();
  }
};

/** Joins a client's connection and one to the server, until both are closed. */
const join = (proxy: Running, client: Socket, server: Socket): void => {
  const { pairs } = proxy;
  const pair: Pair = { client, server, isUnanswered: false, isSilent: false };
  pairs.add(pair);
  for (const socket of [client, server]) {
    socket.on("error", () => destroy(pair, "end"));
    socket.on("close", () => {
      client.end();
      server.end();
      if (client.closed && server.closed) pairs.delete(pair);
    });
  }
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const)
    pump(proxy, from, to, pair).catch(() => destroy(pair, "end"));
};

/** Hands on piece after piece, as the behaviour says. */
const pump = async (proxy: Running, from: Socket, to: Socket, pair: Pair): Promise<void> => {
  const { measure } = proxy;
  const isAnswer = from === pair.server;
  const isHeld = (): boolean => proxy.manner.type === "stalled" || (isAnswer && pair.isUnanswered);
  for await (const piece of measure === null ? (from as AsyncIterable<Buffer>) : messages(from, measure)) {
    while (isHeld()) await proxy.changed.promise;
    if (pair.isSilent) await never;
    if (proxy.manner.type === "slow") await delay(proxy.manner.latency);
    if (proxy.manner.type === "throttled") await delay((1_000 * piece.length) / proxy.manner.bytesPerSecond);
    const { manner } = proxy;
    if (manner.type === "unanswered at" && !isAnswer && says(piece, manner.text)) {
      if (!pair.isUnanswered) proxy.cuts++;
      pair.isUnanswered = true;
    }
    if (manner.type === "cut at" && !isAnswer && says(piece, manner.text)) {
      proxy.cuts++;
      if (manner.isHandedOn) await written(to, piece);
      return destroy(pair, "end");
    }
    if (manner.type === "halved" && isAnswer) {
      proxy.cuts++;
      await written(to, piece.subarray(0, piece.length / 2));
      return destroy(pair, "end");
    }
    if (!to.write(piece)) await once(to, "drain");
  }
  to.end();
};

const says = (piece: Buffer, text: string | Says): boolean =>
  typeof text === "string" ? piece.includes(text) : text(piece);

const written = (to: Socket, piece: Buffer): Promise<unknown> => new Promise((done) => to.write(piece, done));

/** Emits the bytes message by message. */
async function* messages(from: Socket, measure: Measure): AsyncGenerator<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const piece of from as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, piece]);
    for (let size = measure(bytes); size !== null && size <= bytes.length; size = measure(bytes)) {
      yield bytes.subarray(0, size);
      bytes = bytes.subarray(size);
    }
  }
}
