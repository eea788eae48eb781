import type { SMTPServerOptions } from "smtp-server";
import { describe, expect, test } from "vitest";
import { at, mail, never, clientFor, serve } from "./client.fixture.ts";

describe("without an answer", () => {
  const nothing = { kind: "refused", stage: "connect", code: null, enhanced: null, perhapsTaken: false };

  test("nobody listens: no connection", async () => {
    const answer = await clientFor("smtp://127.0.0.1:1").send(mail, never);
    expect(answer).toMatchObject({ ...nothing, text: expect.stringContaining("ECONNREFUSED") });
  });

  test("no such host: no connection", async () => {
    expect(await clientFor("smtp://no-such-host.invalid:25").send(mail, never)).toMatchObject(nothing);
  });

  test("no greeting: no connection, and no second try of the pool's", async () => {
    const silent = await serve({ onConnect: () => undefined });
    expect(await clientFor(at(silent.port), { greeting: 50 }).send(mail, never)).toMatchObject(nothing);
    const rude = await serve({ onConnect: () => rude.hangUp() });
    expect(await clientFor(at(rude.port)).send(mail, never)).toMatchObject(nothing);
    expect([silent.connections(), rude.connections()]).toEqual([1, 1]);
  });

  test("the connection breaks before the content: nobody can have the mail", async () => {
    const server = await serve({ onRcptTo: () => server.hangUp() });
    expect(await clientFor(at(server.port)).send(mail, never)).toMatchObject(nothing);
    expect(server.connections()).toBe(1);
  });

  test("the connection was closed while it had nothing to do: nobody can have the mail, and the next one goes", async () => {
    const server = await serve();
    const post = clientFor(at(server.port));
    await post.send(mail, never);
    server.hangUp();
    const answer = await post.send(mail, never);
    if (answer.kind === "refused") expect(answer).toMatchObject(nothing);
    expect(await post.send(mail, never)).toMatchObject({ kind: "accepted" });
    expect(server.arrived).toHaveLength(answer.kind === "accepted" ? 3 : 2);
  });

  const unknown = { ...nothing, stage: "data", perhapsTaken: true };
  const afterTheDot =
    (then: () => void): NonNullable<SMTPServerOptions["onData"]> =>
    (stream) => {
      stream.resume();
      stream.on("end", then);
    };

  test("the connection breaks after the final dot: the server may have the mail, and it is not sent again here", async () => {
    let taken = 0;
    const server = await serve({ onData: afterTheDot(() => (taken++, server.hangUp())) });
    expect(await clientFor(at(server.port)).send(mail, never)).toMatchObject(unknown);
    expect([taken, server.connections()]).toEqual([1, 1]);
  });

  test("no reply to the final dot in time: the same", async () => {
    const { port } = await serve({ onData: afterTheDot(() => undefined) });
    expect(await clientFor(at(port), { reply: 400 }).send(mail, never)).toMatchObject(unknown);
  });

  test("a server that takes too long is left after the time for all of it", async () => {
    const { port } = await serve({ onRcptTo: () => undefined });
    expect(await clientFor(at(port), { attempt: 100 }).send(mail, never)).toMatchObject(nothing);
  });

  test("we are asked to stop: given up at once", async () => {
    const stopping = new AbortController();
    const { port } = await serve({ onRcptTo: () => stopping.abort() });
    expect(await clientFor(at(port)).send(mail, stopping.signal)).toMatchObject(nothing);
  });
});
