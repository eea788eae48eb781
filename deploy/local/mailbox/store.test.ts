import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratch } from "../scratch.ts";
import { testMailbox } from "./mailbox.fixture.ts";
import { openMailStore, type Envelope } from "./store.ts";

const envelope = (receivedAt: number): Envelope => ({
  from: "a@x.example",
  to: ["b@x.example"],
  receivedAt,
  username: "",
});

async function* content(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

test("a mailbox started again has its mails again", async () => {
  const dir = await scratch();
  const first = await testMailbox({ dir });
  await first.send({ subject: "One", text: "first" });
  await first.send({ subject: "Two", to: ["ada@example.com", "bob@example.com"] });
  const before = first.box.mails();
  await first[Symbol.asyncDispose]();

  await using second = await testMailbox({ dir });
  expect(second.box.mails()).toEqual(before);
  const { messages } = await second.json("/api/v1/messages");
  expect(messages.map(({ Subject }: { Subject: string }) => Subject)).toEqual(["Two", "One"]);
  await second.send({ subject: "Three" });
  expect(
    second.box
      .mails()
      .at(-1)
      ?.id.localeCompare(before[1]?.id ?? ""),
  ).toBe(1);
});

test("the newest are kept, in memory and on disk", async () => {
  const dir = await scratch();
  const store = await openMailStore({ dir, keepMails: 3 });
  for (let at = 1; at <= 5; at++) await store.receive(envelope(at), content(`Subject: ${at}\r\n\r\n`));
  expect(store.mails().map(({ receivedAt }) => receivedAt)).toEqual([3, 4, 5]);
  expect(readdirSync(dir).toSorted()).toEqual(store.mails().map(({ id }) => `${id}.eml`));
  expect((await openMailStore({ dir, keepMails: 2 })).mails()).toHaveLength(2);
});

test("the bytes of all mails have a bound too, but the newest mail is always kept", async () => {
  const dir = await scratch();
  const store = await openMailStore({ dir, keepBytes: 100 });
  await store.receive(envelope(1), content("x".repeat(60)));
  await store.receive(envelope(2), content("x".repeat(60)));
  await store.receive(envelope(3), content("x".repeat(600)));
  expect(store.mails().map(({ size }) => size)).toEqual([600]);
});

test("ids rise even where the clock steps back", async () => {
  const store = await openMailStore({ dir: await scratch() });
  for (const at of [5_000, 5_000, 4_000, 6_000]) await store.receive(envelope(at), content(""));
  const ids = store.mails().map(({ id }) => id);
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(4);
});

test("a source that fails leaves no mail", async () => {
  const dir = await scratch();
  const store = await openMailStore({ dir });
  const failing = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from("Subject: half");
    throw new Error("gone");
  };
  await expect(store.receive(envelope(1), failing())).rejects.toThrow("gone");
  expect([store.mails(), readdirSync(dir)]).toEqual([[], []]);
});

test("files that a crash left half written are dropped, and strangers' files are left alone", async () => {
  const dir = await scratch();
  writeFileSync(join(dir, "half.part"), "Subject: half");
  writeFileSync(join(dir, "notes.txt"), "mine");
  writeFileSync(join(dir, "0000000010000.eml"), "Subject: no envelope\r\n\r\n");
  expect((await openMailStore({ dir })).mails()).toEqual([]);
  expect(readdirSync(dir).toSorted()).toEqual(["0000000010000.eml", "notes.txt"]);
});
