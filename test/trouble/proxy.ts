import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** How connections fare while it lasts. */
export type Manner =
  /** As if the proxy weren't there. */
  | { readonly type: "pass" }
  /** Every piece comes so many milliseconds later. */
  | { readonly type: "slow"; readonly latency: number }
  | { readonly type: "throttled"; readonly bytesPerSecond: number }
  /** Nothing comes through; what was sent meanwhile does, afterwards. */
  | { readonly type: "stalled" }
  /** No connection is taken. */
  | { readonly type: "closed" }
  /** The connection on which the client says this is cut, before or after it is handed on: who said it can't know. */
  | { readonly type: "cut at"; readonly text: string; readonly isHandedOn: boolean };

/** A TCP server in front of another. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  behave(manner: Manner): void;
  /** Ends all connections there are: in order, or with a reset. Returns how many. */
  cut(how: "end" | "reset"): number;
  /** How often a connection was cut at what was said. */
  readonly cuts: () => number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

const HOST = "127.0.0.1";

/** @param target where it hands on to */
export const startProxy = async (target: { readonly host: string; readonly port: number }): Promise<Proxy> => {
  const pairs = new Set<Pair>();
  let manner: Manner = { type: "pass" };
  let changed = Promise.withResolvers<void>();
  let cuts = 0;

  const destroy = (pair: Pair, how: "end" | "reset"): void => {
    for (const socket of [pair.client, pair.server]) {
      if (how === "reset") socket.resetAndDestroy();
      else socket.destroy();
    }
  };
  /** Hands on piece after piece, as is the manner. */
  const pump = async (from: Socket, to: Socket, pair: Pair): Promise<void> => {
    for await (const piece of from as AsyncIterable<Buffer>) {
      while (manner.type === "stalled") await changed.promise;
      if (manner.type === "slow") await delay(manner.latency);
      if (manner.type === "throttled") await delay((1_000 * piece.length) / manner.bytesPerSecond);
      if (manner.type === "cut at" && from === pair.client && piece.includes(manner.text)) {
        cuts++;
        if (manner.isHandedOn) await new Promise((written) => to.write(piece, written));
        return destroy(pair, "end");
      }
      if (!to.write(piece)) await once(to, "drain");
    }
    to.end();
  };

  const listener = createServer((client) => {
    if (manner.type === "closed") {
      client.resetAndDestroy();
      return;
    }
    const pair = { client, server: connect(target) };
    pairs.add(pair);
    for (const socket of [pair.client, pair.server]) {
      socket.on("error", () => destroy(pair, "end"));
      socket.on("close", () => {
        pair.client.end();
        pair.server.end();
        if (pair.client.closed && pair.server.closed) pairs.delete(pair);
      });
    }
    for (const [from, to] of [
      [pair.client, pair.server],
      [pair.server, pair.client],
    ] as const)
      pump(from, to, pair).catch(() => destroy(pair, "end"));
  });
  listener.listen(0, HOST);
  await once(listener, "listening");

  return {
    port: (listener.address() as AddressInfo).port,
    behave(next) {
      manner = next;
      changed.resolve();
      changed = Promise.withResolvers();
    },
    cut(how) {
      const all = [...pairs].filter(({ client, server }) => !client.destroyed && !server.destroyed);
      for (const pair of all) destroy(pair, how);
      return all.length;
    },
    cuts: () => cuts,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const pair of pairs) destroy(pair, "end");
      await once(listener, "close");
    },
  };
};
