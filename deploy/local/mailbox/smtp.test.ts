import { readdirSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { createTransport } from "nodemailer";
import { converse, portOf, testMailbox } from "./mailbox.fixture.ts";
import { MAIL_LIMIT_BYTES } from "./smtp.ts";

const letter =
  "From: chat@example.com\r\nTo: ada@example.com\r\nSubject: Hi\r\n\r\nDot line:\r\n.\r\n..two\r\nend — ünïcode\r\n";

test("the server announces its extensions, and offers no STARTTLS", async () => {
  await using world = await testMailbox();
  const heard = await converse(portOf(world.box), ["", "EHLO client.example"]);
  for (const word of ["PIPELINING", "8BITMIME", "SMTPUTF8", `SIZE ${MAIL_LIMIT_BYTES}`, "AUTH LOGIN PLAIN"])
    expect(heard).toContain(word);
  expect(heard).not.toMatch(/STARTTLS|DSN/);
});

test("a mail is on disk, as it was sent, when its sender hears 250", async () => {
  await using world = await testMailbox();
  const heard = await world.send({ raw: letter });
  const files = readdirSync(world.dir);
  expect(heard.response).toMatch(/^250 2\.0\.0 Stored as /);
  expect(files).toEqual([`${world.box.mails()[0]?.id}.eml`]);
  const content = readFileSync(`${world.dir}/${files[0]}`, "utf8");
  expect(content.split("\r\n", 1)[0]).toMatch(
    /^X-Mailbox-Envelope: \{"from":"chat@example.com","to":\["ada@example.com"\]/,
  );
  expect(content.endsWith(`\r\n${letter}`)).toBe(true);
  expect((await world.box.raw(world.box.mails()[0]?.id ?? ""))?.toString()).toBe(letter);
});

test("the envelope is kept: the null sender, every recipient, the time", async () => {
  await using world = await testMailbox({ now: () => Date.UTC(2026, 0, 2) });
  await world.send({ raw: letter, envelope: { from: "", to: ["ada@example.com", "zoë@example.com"] } });
  const [mail] = world.box.mails();
  expect(mail).toMatchObject({
    from: "",
    to: ["ada@example.com", "zoë@example.com"],
    receivedAt: Date.UTC(2026, 0, 2),
  });
  expect(mail?.size).toBe(Buffer.byteLength(letter));
});

test("any name and password will do", async () => {
  await using world = await testMailbox();
  const auth = { user: "whileaway", pass: "anything" };
  const transport = createTransport({ host: "127.0.0.1", port: portOf(world.box), ignoreTLS: true, auth });
  await transport.sendMail({ from: "a@example.com", to: "b@example.com", text: "hi" });
  expect(world.box.mails()[0]?.username).toBe("whileaway");
});

test("a listener is told of a mail that is on disk", async () => {
  await using world = await testMailbox();
  const told: string[] = [];
  const off = world.box.onMail(({ file }) => told.push(readFileSync(file, "utf8")));
  await world.send({ subject: "One" });
  off();
  await world.send({ subject: "Two" });
  expect(told).toHaveLength(1);
  expect(told[0]).toContain("Subject: One");
});

test("too large a mail is refused, and nothing of it is kept", async () => {
  await using world = await testMailbox();
  const large = `Subject: large\r\n\r\n${`${"x".repeat(998)}\r\n`.repeat(MAIL_LIMIT_BYTES / 1000 + 1)}`;
  // The size is not announced beforehand, so that the check is made at DATA.
  const open = ["", "EHLO c.example", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA"];
  const heard = await converse(portOf(world.box), [...open, `${large}.`]);
  expect(heard).toMatch(/\r\n552 /);
  expect(readdirSync(world.dir)).toEqual([]);
});

test("a client that leaves in the middle of a mail leaves nothing behind", async () => {
  await using world = await testMailbox();
  const socket = new Socket();
  const lines = ["EHLO c.example", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA"];
  await new Promise<void>((resolve) => {
    let at = 0;
    socket.on("data", (text) => {
      if (text.includes("354 ")) return void socket.write("Subject: half\r\n", () => resolve());
      if (/^\d{3} /m.test(text.toString())) socket.write(`${lines[at++]}\r\n`);
    });
    socket.connect(portOf(world.box), "127.0.0.1");
  });
  await expect.poll(() => readdirSync(world.dir).filter((name) => name.endsWith(".part"))).toHaveLength(1);
  socket.destroy();
  await expect.poll(() => readdirSync(world.dir)).toEqual([]);
});

test.each([
  ["reject-550@example.com", 550, "5.1.1"],
  ["reject-550-5.7.26+tag@example.com", 550, "5.7.26"],
  ["defer-451@example.com", 451, "4.3.0"],
  ["data-reject-554@example.com", 554, "5.7.1"],
  ["data-defer-452-4.2.2@example.com", 452, "4.2.2"],
])("%s is answered %i %s", async (to, responseCode, status) => {
  await using world = await testMailbox();
  const failure = await world.send({ to }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ responseCode, response: expect.stringContaining(status) });
  expect(readdirSync(world.dir)).toEqual([]);
});

test("defer-421 closes the connection", async () => {
  await using world = await testMailbox();
  const lines = ["", "EHLO c.example", "MAIL FROM:<a@example.com>", "RCPT TO:<defer-421@example.com>", "DATA"];
  const heard = await converse(portOf(world.box), lines);
  expect(heard).toMatch(/421 4\.4\.2 .*\r\n$/);
});

test("a recipient that is refused does not stop the others", async () => {
  await using world = await testMailbox();
  const sent = await world.send({ to: ["ada@example.com", "reject-550@example.com"] });
  expect(sent.rejected).toEqual(["reject-550@example.com"]);
  expect(world.box.mails()[0]?.to).toEqual(["ada@example.com"]);
});

test("greylist-2 refuses twice, then takes the mail", async () => {
  await using world = await testMailbox();
  const attempt = (): Promise<string> =>
    world.send({ to: "greylist-2@example.com" }).then(
      () => "taken",
      ({ responseCode }) => String(responseCode),
    );
  expect([await attempt(), await attempt(), await attempt()]).toEqual(["451", "451", "taken"]);
});

test("cut-kept keeps the mail without an answer; cut-lost loses it", async () => {
  await using world = await testMailbox();
  for (const [to, kept] of [
    ["cut-lost@example.com", 0],
    ["cut-kept@example.com", 1],
  ] as const) {
    await expect(world.send({ to })).rejects.toThrow();
    expect(world.box.mails()).toHaveLength(kept);
  }
});

test("slow-200 answers late", async () => {
  await using world = await testMailbox();
  const before = performance.now();
  await world.send({ to: "slow-200@example.com" });
  expect(performance.now() - before).toBeGreaterThan(190);
});
