import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { openSocket, SILENCE, whole } from "./socket.ts";

const answer = (text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
};

test("answers are handed over whole, however the bytes are split", () => {
  const answers = [answer("one"), answer(""), answer("another"), answer("x".repeat(100))];
  const bytes = Buffer.concat(answers);
  for (const size of [1, 2, 3, 5, 8, 13, 50, bytes.length]) {
    const heard: Buffer[] = [];
    const hear = whole((some) => heard.push(some));
    for (let at = 0; at < bytes.length; at += size) hear(bytes.subarray(at, at + size));
    expect(Buffer.concat(heard)).toEqual(bytes);
    let end = 0;
    const ends = new Set(answers.map(({ length }) => (end += length)));
    let at = 0;
    for (const { length } of heard) expect(ends).toContain((at += length));
  }
});

test("a part of an answer is never handed over", () => {
  const heard: Buffer[] = [];
  const hear = whole((some) => heard.push(some));
  hear(Buffer.concat([answer("one"), answer("another").subarray(0, 6)]));
  expect(heard).toEqual([answer("one")]);
});

/** Both ends of a connection under fake timers. `givenUp` is called with the event that kafkajs listens for. */
const connection = async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { address: host, port } = server.address() as AddressInfo;
  const other = once(server, "connection") as Promise<[Socket]>;
  const socket = openSocket({ host, port, onConnect: () => undefined });
  const [broker] = await other;
  const ask = async (): Promise<void> => {
    socket.write("who is there?");
    await once(broker, "data");
  };
  const hear = async (): Promise<void> => {
    const heard = once(socket, "data");
    broker.write(answer("here"));
    await heard;
  };
  const givenUp = vi.fn<() => void>();
  socket.on("timeout", givenUp);
  onTestFinished(() => {
    vi.useRealTimers();
    for (const end of [socket, broker]) end.destroy();
    server.close();
  });
  return { socket, ask, hear, givenUp };
};

test("a connection that doesn't answer ends, however many requests are sent on it, and kafkajs is told", async () => {
  const { socket, ask, givenUp } = await connection();
  for (let passed = 0; passed < SILENCE; passed += SILENCE / 5) {
    expect(socket.destroyed).toBe(false);
    await ask();
    vi.advanceTimersByTime(SILENCE / 5);
  }
  expect(socket.destroyed).toBe(true);
  expect(givenUp).toHaveBeenCalledOnce();
});

test("a connection that answers stays open", async () => {
  const { socket, ask, hear } = await connection();
  for (let passed = 0; passed < 2 * SILENCE; passed += SILENCE / 2) {
    await ask();
    vi.advanceTimersByTime(SILENCE / 2);
    await hear();
  }
  expect(socket.destroyed).toBe(false);
});
