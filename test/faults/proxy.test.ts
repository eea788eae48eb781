import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/world.ts";
import { type Measure, type Proxy, startProxy } from "./proxy.ts";

/** An echo server, a proxy before it, and a client of the proxy. */
const talk = async (measure: Measure | null = null) => {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (piece) => {
      heard.push(String(piece));
      socket.write(piece);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startProxy({ host: "127.0.0.1", port: (server.address() as AddressInfo).port }, measure);
  onTestFinished(async () => {
    await proxy[Symbol.asyncDispose]();
    server.close();
  });
  return { proxy, heard, client: await dial(proxy) };
};

const dial = async ({ port }: Proxy): Promise<{ socket: Socket; got: string[]; ends: string[] }> => {
  const socket = connect(port, "127.0.0.1");
  const [got, ends]: [string[], string[]] = [[], []];
  socket.on("data", (piece) => got.push(String(piece)));
  socket.on("error", (error: NodeJS.ErrnoException) => ends.push(error.code ?? ""));
  socket.on("close", () => ends.push("closed"));
  await once(socket, "connect");
  return { socket, got, ends };
};

test("a proxy hands on bytes in both directions", async () => {
  const { client } = await talk();
  client.socket.write("hello");
  await eventually(() => expect(client.got).toEqual(["hello"]));
});

test("bytes sent to a stalled proxy arrive afterwards", async () => {
  const { proxy, heard, client } = await talk();
  proxy.behave({ type: "stalled" });
  client.socket.write("late");
  const other = await dial(proxy);
  other.socket.write("too");
  proxy.behave({ type: "pass" });
  await eventually(() => expect([client.got, other.got]).toEqual([["late"], ["too"]]));
  expect(heard.toSorted()).toEqual(["late", "too"]);
});

test("a connection is cut at a text, before or after the text is handed on", async () => {
  const { proxy, heard, client } = await talk();
  proxy.behave({ type: "cut at", text: "commit", isHandedOn: false });
  client.socket.write("commit 1");
  await eventually(() => expect(client.ends).toContain("closed"));
  proxy.behave({ type: "cut at", text: "commit", isHandedOn: true });
  const other = await dial(proxy);
  other.socket.write("commit 2");
  await eventually(() => expect(other.ends).toContain("closed"));
  await eventually(() => expect(heard).toEqual(["commit 2"]));
  expect(proxy.cuts()).toBe(2);
});

test("a reset reaches the client as a reset, from a closed proxy too", async () => {
  const { proxy, client } = await talk();
  expect(proxy.cut("reset")).toBe(1);
  await eventually(() => expect(client.ends).toEqual(["ECONNRESET", "closed"]));
  proxy.behave({ type: "closed" });
  const refused = connect(proxy.port, "127.0.0.1");
  await expect(once(refused, "close")).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("a proxy that knows messages hands on whole messages, or half of an answer", async () => {
  const { proxy, heard, client } = await talk((bytes) => bytes[0] ?? null);
  client.socket.write("\u0004ab");
  client.socket.write("c\u0004d");
  await eventually(() => expect(client.got).toEqual(["\u0004abc"]));
  proxy.behave({ type: "halved" });
  client.socket.write("ef");
  await eventually(() => expect(client.ends).toContain("closed"));
  expect(heard).toEqual(["\u0004abc", "\u0004def"]);
  expect(client.got).toEqual(["\u0004abc", "\u0004d"]);
});

test("an answer is delayed while the proxy is unanswered, and never comes while it is silent", async () => {
  const { proxy, heard, client } = await talk();
  proxy.behave({ type: "unanswered at", text: "b" });
  client.socket.write("a");
  await eventually(() => expect(client.got).toEqual(["a"]));
  client.socket.write("b");
  await eventually(() => expect(heard).toEqual(["a", "b"]));
  expect([client.got, proxy.cuts()]).toEqual([["a"], 1]);
  proxy.behave({ type: "pass" });
  await eventually(() => expect(client.got).toEqual(["a", "b"]));
  expect(proxy.silence()).toBe(1);
  client.socket.write("c");
  const other = await dial(proxy);
  other.socket.write("d");
  await eventually(() => expect(other.got).toEqual(["d"]));
  expect([heard, client.ends]).toEqual([["a", "b", "d"], []]);
});
