import type { SMTPServerOptions } from "smtp-server";
import { describe, expect, test } from "vitest";
import { at, mail, never, clientFor, serve } from "./client.fixture.ts";

describe("a mail without an answer", () => {
  const notSent = { kind: "refused", stage: "connect", code: null, enhanced: null, perhapsTaken: false };

  test("is refused at connect when no server listens", async () => {
    const answer = await clientFor("smtp://127.0.0.1:1").send(mail, never);
    expect(answer).toMatchObject({ ...notSent, text: expect.stringContaining("ECONNREFUSED") });
  });

  test("is refused at connect when the host is unknown", async () => {
    expect(await clientFor("smtp://no-such-host.invalid:25").send(mail, never)).toMatchObject(notSent);
  });

  test("is refused at connect when the server sends no greeting, and the pool doesn't try again", async () => {
    const silent = await serve({ onConnect: () => undefined });
    expect(await clientFor(at(silent.port), { greeting: 50 }).send(mail, never)).toMatchObject(notSent);
    const rude = await serve({ onConnect: () => rude.hangUp() });
    expect(await clientFor(at(rude.port)).send(mail, never)).toMatchObject(notSent);
    expect([silent.connections(), rude.connections()]).toEqual([1, 1]);
  });

  test("is refused at connect when the connection breaks before the content", async () => {
    const server = await serve({ onRcptTo: () => server.hangUp() });
    expect(await clientFor(at(server.port)).send(mail, never)).toMatchObject(notSent);
    expect(server.connections()).toBe(1);
  });

  test("is refused at connect when the idle connection was closed, and the next mail is accepted", async () => {
    const server = await serve();
    const client = clientFor(at(server.port));
    await client.send(mail, never);
    server.hangUp();
    const answer = await client.send(mail, never);
    if (answer.kind === "refused") expect(answer).toMatchObject(notSent);
    expect(await client.send(mail, never)).toMatchObject({ kind: "accepted" });
    expect(server.arrived).toHaveLength(answer.kind === "accepted" ? 3 : 2);
  });

  const perhapsSent = { ...notSent, stage: "data", perhapsTaken: true };
  const afterTheDot =
    (then: () => void): NonNullable<SMTPServerOptions["onData"]> =>
    (stream) => {
      stream.resume();
      stream.on("end", then);
    };

  test("is perhaps taken when the connection breaks after the final dot, and the client doesn't send it again", async () => {
    let taken = 0;
    const server = await serve({ onData: afterTheDot(() => (taken++, server.hangUp())) });
    expect(await clientFor(at(server.port)).send(mail, never)).toMatchObject(perhapsSent);
    expect([taken, server.connections()]).toEqual([1, 1]);
  });

  test("is perhaps taken when no reply to the final dot comes in time", async () => {
    const { port } = await serve({ onData: afterTheDot(() => undefined) });
    expect(await clientFor(at(port), { reply: 400 }).send(mail, never)).toMatchObject(perhapsSent);
  });

  test("is refused at connect when the whole attempt takes too long", async () => {
    const { port } = await serve({ onRcptTo: () => undefined });
    expect(await clientFor(at(port), { attempt: 100 }).send(mail, never)).toMatchObject(notSent);
  });

  test("is refused at connect as soon as the process stops", async () => {
    const stopping = new AbortController();
    const { port } = await serve({ onRcptTo: () => stopping.abort() });
    expect(await clientFor(at(port)).send(mail, stopping.signal)).toMatchObject(notSent);
  });
});
