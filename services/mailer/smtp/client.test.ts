import { simpleParser } from "mailparser";
import type { SMTPServerOptions } from "smtp-server";
import { describe, expect, test, vi } from "vitest";
import { NOON } from "../content/notification.fixture.ts";
import { at, mail, mailTo, never, clientFor, serve } from "./client.fixture.ts";

/** Makes a handler of the server that refuses its command. */
const refuse =
  (responseCode: number, text: string) =>
  (...args: unknown[]): void => {
    const done = args.at(-1) as (error: Error) => void;
    done(Object.assign(new Error(text), { responseCode }));
  };
const refuseData =
  (responseCode: number, text: string): NonNullable<SMTPServerOptions["onData"]> =>
  (stream, _session, done) => {
    stream.resume();
    stream.on("end", () => done(Object.assign(new Error(text), { responseCode })));
  };

describe("an accepted mail", () => {
  test("is sent once, to one recipient, from the address for bounces", async () => {
    const { arrived, port } = await serve();
    const answer = await clientFor(at(port)).send(mail, never);
    expect(answer).toMatchObject({ kind: "accepted", response: expect.stringMatching(/^250 /) });
    expect(arrived).toHaveLength(1);
    expect(arrived[0]).toMatchObject({ from: "bounces@chat.example", to: ["grace@example.com"] });
  });

  test("arrives with its header, text and HTML", async () => {
    const { arrived, port } = await serve();
    await clientFor(at(port)).send(mail, never);
    const parsed = await simpleParser(arrived[0]?.raw ?? "");
    expect(parsed.subject).toBe("Ada: new message in Launch plan");
    expect(parsed.from?.value).toEqual([{ name: "Chätterbox, Inc.", address: "chat@chat.example" }]);
    expect(parsed.to).toMatchObject({ value: [{ name: "Grace Hopper", address: "grace@example.com" }] });
    expect(parsed.date?.getTime()).toBe(NOON);
    expect(parsed.messageId).toMatch(/^<[0-9a-f-]{36}@chat\.example>$/);
    expect(parsed.inReplyTo).toMatch(/^<[0-9a-f-]{36}@chat\.example>$/);
    expect(parsed.references).toBe(parsed.inReplyTo);
    expect(parsed.messageId).not.toBe(parsed.inReplyTo);
    expect(parsed.headers.get("auto-submitted")).toBe("auto-generated");
    expect(parsed.headers.get("x-auto-response-suppress")).toBe("All");
    expect(parsed.headers.get("x-whileaway-notification")).toBe("n-1");
    expect(parsed.headers.get("content-type")).toMatchObject({ value: "multipart/alternative" });
    expect(parsed.text).toBe(mail.text);
    expect(parsed.html).toBe(mail.html);
    expect(arrived[0]?.raw).toMatch(/^--(?: |=20)\r\n/m); // the blank after the signature's mark is kept
  });

  test("is the same octet by octet when it is sent again", async () => {
    const { arrived, port } = await serve();
    const client = clientFor(at(port));
    await client.send(mail, never);
    await client.send(mailTo("grace@example.com"), never);
    expect(arrived[1]).toEqual(arrived[0]);
    await client.send(mailTo("hopper@example.com"), never);
    const [first, other] = await Promise.all([arrived[0], arrived[2]].map((mailed) => simpleParser(mailed?.raw ?? "")));
    expect(other?.messageId).not.toBe(first?.messageId);
    expect(other?.references).toBe(first?.references);
  });

  test("is not handed over when the lease runs out on the way, and can be sent again", async () => {
    const { arrived, port } = await serve();
    const client = clientFor(at(port));
    const lost = new Error("the lease ran out");
    const asked = vi.fn<() => void>(() => {
      throw lost;
    });
    await expect(client.send(mail, never, asked)).rejects.toThrow("the lease ran out");
    expect(asked).toHaveBeenCalledOnce();
    expect(arrived).toEqual([]);
    expect(await client.send(mail, never)).toMatchObject({ kind: "accepted" });
    expect(arrived).toHaveLength(1);
  });

  test("is sent over an open connection", async () => {
    const { port, connections } = await serve();
    const client = clientFor(at(port));
    for (let sent = 0; sent < 3; sent++) await client.send(mail, never);
    expect(connections()).toBe(1);
  });

  test("is sent to an address in any script", async () => {
    const { arrived, port } = await serve();
    expect(await clientFor(at(port)).send(mailTo("用户@例子.example"), never)).toMatchObject({ kind: "accepted" });
    expect(arrived[0]?.to[0]).toMatch(/^用户@/);
  });

  test("has only our header fields, whatever the recipient's name and the text", async () => {
    const { arrived, port } = await serve();
    const text = "\r\n.\r\nMAIL FROM:<eve@example.com>\r\n\r\nBcc: eve@example.com\r\n.";
    await clientFor(at(port)).send(
      mailTo("grace@example.com", 'Eve" <eve@example.com>\r\nBcc: eve@example.com', text),
      never,
    );
    expect(arrived).toHaveLength(1);
    expect(arrived[0]?.to).toEqual(["grace@example.com"]);
    const parsed = await simpleParser(arrived[0]?.raw ?? "");
    expect(parsed.headers.has("bcc")).toBe(false);
    expect(parsed.to).toMatchObject({ value: [{ address: "grace@example.com" }] });
    expect(parsed.text).toContain("    Bcc: eve@example.com\n    .\n");
  });

  test("has no line longer than 998 octets (RFC 5322, section 2.1.1), whatever the text", async () => {
    const { arrived, port } = await serve();
    for (const text of ["x".repeat(5_000), "漢".repeat(5_000)])
      await clientFor(at(port)).send(mailTo("grace@example.com", "y".repeat(5_000), text), never);
    const lengths = arrived.flatMap(({ raw }) => raw.split("\r\n").map((row) => Buffer.byteLength(row)));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(998);
  });

  test("is reported with its queue id on the server", async () => {
    const { port } = await serve({
      onData(stream, _session, done) {
        stream.resume();
        stream.on("end", () => done(null, "2.0.0 Ok: queued as 4cQxyz"));
      },
    });
    expect(await clientFor(at(port)).send(mail, never)).toMatchObject({ kind: "accepted", queueId: "4cQxyz" });
  });
});

describe("a mail is reported as refused, not thrown,", () => {
  test.each([
    ["mail", 450, "4.7.1 slow down", { onMailFrom: refuse(450, "4.7.1 slow down") }],
    ["mail", 550, "5.1.8 sender refused", { onMailFrom: refuse(550, "5.1.8 sender refused") }],
    ["rcpt", 451, "4.7.1 greylisted", { onRcptTo: refuse(451, "4.7.1 greylisted") }],
    ["rcpt", 550, "5.1.1 no such user", { onRcptTo: refuse(550, "5.1.1 no such user") }],
    ["data", 452, "4.3.1 no room", { onData: refuseData(452, "4.3.1 no room") }],
    ["data", 554, "5.7.1 spam", { onData: refuseData(554, "5.7.1 spam") }],
    ["connect", 421, "4.3.2 too busy", { onConnect: refuse(421, "4.3.2 too busy") }],
    ["connect", 554, "5.7.1 go away", { onConnect: refuse(554, "5.7.1 go away") }],
  ] as const)("at %s with %i %s", async (stage, code, text, options) => {
    for (const hidePIPELINING of [false, true]) {
      const { arrived, port } = await serve({ ...options, hidePIPELINING });
      const answer = await clientFor(at(port)).send(mail, never);
      expect(answer).toMatchObject({ kind: "refused", stage, code, enhanced: text.split(" ")[0], perhapsTaken: false });
      expect(answer).toHaveProperty("text", expect.stringContaining(text));
      expect(arrived).toEqual([]);
    }
  });

  test("and the next mail is accepted", async () => {
    const onRcptTo: SMTPServerOptions["onRcptTo"] = ({ address }, session, done) =>
      address.startsWith("no") ? refuse(550, "no such user")(done) : done();
    const { arrived, port } = await serve({ onRcptTo });
    const client = clientFor(at(port));
    const answers = await Promise.all(
      ["no@x.example", "a@x.example", "nobody@x.example", "b@x.example"].map((to) => client.send(mailTo(to), never)),
    );
    expect(answers.map(({ kind }) => kind)).toEqual(["refused", "accepted", "refused", "accepted"]);
    expect(arrived.map(({ to }) => to[0]).toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      "a@x.example",
      "b@x.example",
    ]);
  });

  test("for wrong credentials", async () => {
    const options = { disabledCommands: ["STARTTLS"], authOptional: false, allowInsecureAuth: true };
    const { port } = await serve({ ...options, onAuth: refuse(535, "5.7.8 wrong password") });
    const answer = await clientFor(`smtp://user:p%40ss@127.0.0.1:${port}`).send(mail, never);
    expect(answer).toMatchObject({ kind: "refused", stage: "auth", code: 535, enhanced: "5.7.8" });
  });

  test("for an untrusted certificate, and for missing TLS where TLS is required", async () => {
    const selfSigned = await serve({ disabledCommands: [] });
    expect(await clientFor(at(selfSigned.port)).send(mail, never)).toMatchObject({ kind: "refused", stage: "tls" });
    const plain = await serve();
    const answer = await clientFor(at(plain.port, "?requireTLS=true")).send(mail, never);
    expect(answer).toMatchObject({ kind: "refused", stage: "tls" });
    expect([...selfSigned.arrived, ...plain.arrived]).toEqual([]);
    const trusting = clientFor(at(selfSigned.port, "?tls.rejectUnauthorized=false"));
    expect(await trusting.send(mail, never)).toMatchObject({ kind: "accepted" });
  });
});

test.each(["a@x.example>\r\nRCPT TO:<eve@x.example", "Eve <eve@x.example>", "a@x.example, eve@x.example", ""])(
  "a mail to an invalid address (%j) opens no connection",
  async (address) => {
    const { arrived, port, connections } = await serve();
    const sent = clientFor(at(port)).send({ ...mail, to: { name: "", address } }, never);
    await expect(sent).rejects.toThrow("is not fit for an envelope");
    expect([arrived.length, connections()]).toEqual([0, 0]);
  },
);

test.each(["o'brien+chat@mail.example", "#!$%&*/=?^_`{|}~-@x.example", "MiXed@x.example"])(
  "a mail to the unusual address %s is sent to that very address",
  async (address) => {
    const { arrived, port } = await serve();
    expect(await clientFor(at(port)).send(mailTo(address), never)).toMatchObject({ kind: "accepted" });
    expect(arrived[0]?.to).toEqual([address]);
  },
);
