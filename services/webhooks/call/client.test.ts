import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { networks } from "./networks.ts";
import { type Caller, caller, MAX_EXCERPT, type Patience } from "./client.ts";
import { selfSigned } from "./certificate.fixture.ts";
import type { Resolve } from "./resolve.ts";
import type { CallResult } from "../settle.ts";

const LOOPBACK = networks(["127.0.0.0/8", "::1/128"]);
/** A limit that no spec reaches. The limits below are short where a spec waits for them. */
const LONG = 30_000;
const hastyHead: Patience = { connect: LONG, headers: 300, body: LONG, total: LONG };
const hastyConnect: Patience = { ...hastyHead, connect: 300, headers: LONG };
const hastyBody: Patience = { ...hastyHead, headers: LONG, body: 300 };
const hasty: Patience = { connect: LONG, headers: LONG, body: LONG, total: 1_500 };
const never = new AbortController().signal;

let world = new AsyncDisposableStack();
afterEach(async () => {
  await world.disposeAsync();
  world = new AsyncDisposableStack();
});

const called = (allowed = LOOPBACK, options: { resolve?: Resolve; patience?: Patience } = {}): Caller =>
  world.use(caller(allowed, options));

const listening = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.defer(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
};

const http = async (listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listening(createHttp(listener))}/hook?a=b`;
const tcp = async (onSocket: (socket: Socket) => void): Promise<string> =>
  `http://127.0.0.1:${await listening(createTcp((socket) => onSocket(socket.on("error", () => undefined))))}/`;

const post = (url: string, by = called(), signal = never): Promise<CallResult> =>
  by.post({ url, headers: { "webhook-id": "e1" }, body: '{"wörter":"ja"}' }, signal);
const failure = (result: CallResult): string => ("failure" in result ? result.failure : `HTTP ${result.status}`);

test("a call posts the exact bytes as JSON, with the given headers and its user agent", async () => {
  const seen: unknown[] = [];
  const url = await http((request, response) => {
    const { method, url: path, headers } = request;
    void text(request).then((body) => {
      seen.push({ method, path, headers, body });
      response.writeHead(200).end("thanks");
    });
  });
  expect(await post(url)).toMatchObject({ status: 200, excerpt: "thanks", retryAfter: null, location: null });
  expect(seen).toMatchObject([
    {
      method: "POST",
      path: "/hook?a=b",
      body: '{"wörter":"ja"}',
      headers: {
        "user-agent": "whileaway-webhooks",
        "content-type": "application/json",
        "webhook-id": "e1",
        "content-length": String(Buffer.byteLength('{"wörter":"ja"}')),
      },
    },
  ]);
});

test.each([204, 400, 404, 410, 429, 500, 503])(
  "an answer of %i is returned with its status, Retry-After and the body",
  async (status) => {
    const url = await http((_, response) =>
      response.writeHead(status, { "retry-after": "7" }).end(status === 204 ? "" : "no"),
    );
    expect(await post(url)).toMatchObject({ status, excerpt: status === 204 ? "" : "no", retryAfter: "7" });
  },
);

test.each([301, 302, 303, 307, 308])("a redirect (%i) is not followed", async (status) => {
  const visited: string[] = [];
  const url = await http((request, response) => {
    visited.push(request.url ?? "");
    response.writeHead(status, { location: "/elsewhere" }).end();
  });
  expect(await post(url)).toMatchObject({ status, location: "/elsewhere" });
  expect(visited).toEqual(["/hook?a=b"]);
});

test("an answer that never begins is a timeout", async () => {
  const url = await http(() => undefined);
  expect(failure(await post(url, called(LOOPBACK, { patience: hastyHead })))).toBe("timeout");
});

test("an answer whose head trickles is a timeout", async () => {
  const url = await tcp((socket) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    const timer = setInterval(() => socket.write("x: y\r\n"), 50);
    socket.on("close", () => clearInterval(timer));
  });
  expect(failure(await post(url, called(LOOPBACK, { patience: hasty })))).toBe("timeout");
});

test("an answer whose body never ends keeps its status and the beginning of the body", async () => {
  const url = await http((_, response) => void response.writeHead(200).write("begun"));
  expect(await post(url, called(LOOPBACK, { patience: hastyBody }))).toMatchObject({ status: 200, excerpt: "begun" });
});

test("an answer whose body trickles is cut off at the limit of the whole call", async () => {
  const url = await http((_, response) => {
    response.writeHead(500);
    const timer = setInterval(() => response.write("."), 20);
    response.on("close", () => clearInterval(timer));
  });
  const result = await post(url, called(LOOPBACK, { patience: hasty }));
  expect(result).toMatchObject({ status: 500, excerpt: expect.stringMatching(/^\.+$/) });
});

test("an answer with a huge body keeps its beginning, and the connection is closed", async () => {
  let read = 0;
  const closed = Promise.withResolvers<void>();
  const url = await http((_, response) => {
    const endless = Readable.from(
      (function* () {
        for (; ; read += 65_536) yield "y".repeat(65_536);
      })(),
    );
    endless.pipe(response.writeHead(200).on("close", closed.resolve));
  });
  expect(await post(url)).toMatchObject({ status: 200, excerpt: "y".repeat(MAX_EXCERPT) });
  await closed.promise;
  expect(read).toBeLessThan(100e6);
});

test("an excerpt has no character that PostgreSQL can't store", async () => {
  const url = await http((_, response) => response.writeHead(400).end(Buffer.from([0x61, 0, 0xff, 0x62])));
  expect(await post(url)).toMatchObject({ excerpt: "a\ufffdb" });
});

test("a reset connection is a broken one", async () => {
  expect(failure(await post(await tcp((socket) => socket.once("data", () => socket.resetAndDestroy()))))).toBe(
    "broken",
  );
});

test("a connection that ends without an answer is a broken one", async () => {
  expect(failure(await post(await tcp((socket) => socket.once("data", () => socket.end()))))).toBe("broken");
});

test("an answer that isn't HTTP is a broken connection", async () => {
  expect(failure(await post(await tcp((socket) => socket.end("220 mail.example ESMTP\r\n"))))).toBe("broken");
});

test("an answer whose head exceeds its limit is a broken connection", async () => {
  const url = await tcp((socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(20_000)}\r\n\r\n`));
  expect(failure(await post(url))).toBe("broken");
});

test("a call to a closed port fails with connect", async () => {
  const server = createTcp();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  expect(await post(`http://127.0.0.1:${port}/`)).toMatchObject({ failure: "connect", message: /ECONNREFUSED/ });
});

test("a call to a name without an address fails with name", async () => {
  const resolve: Resolve = () =>
    Promise.reject(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" }));
  expect(failure(await post("https://nowhere.invalid/", called(LOOPBACK, { resolve })))).toBe("name");
});

test("a call to a name that never resolves is a timeout", async () => {
  const by = called(LOOPBACK, { resolve: () => new Promise(() => undefined), patience: hastyConnect });
  expect(failure(await post("https://slow.example/", by))).toBe("timeout");
});

test("a call over HTTPS to a server of plain HTTP fails with tls", async () => {
  const url = (await http((_, response) => response.end())).replace("http:", "https:");
  expect(failure(await post(url))).toBe("tls");
});

test("a call to a server with an untrusted certificate fails with tls", async () => {
  const port = await listening(createHttps(selfSigned("localhost"), (_, response) => void response.end()));
  const result = await post(`https://127.0.0.1:${port}/`);
  expect(result).toMatchObject({ failure: "tls", message: /self-signed|unable to verify/i });
});

test("a call that the stop of the process cuts off fails with stopped", async () => {
  const stop = new AbortController();
  const url = await http(() => stop.abort());
  expect(failure(await post(url, called(), stop.signal))).toBe("stopped");
  expect(failure(await post(url, called(), stop.signal))).toBe("stopped");
});

test("a call with an invalid header fails with broken instead of throwing", async () => {
  const result = await called().post(
    { url: await http(() => undefined), headers: { "webhook-id": "a\nb" }, body: "" },
    never,
  );
  expect(failure(result)).toBe("broken");
});
