import { expect, test } from "vitest";
import type { DeadLetter } from "../../services/platform/contract/records.ts";
import { deadCommand } from "../../services/ops/dead-letters/dead.ts";
import { readWhole } from "../../services/ops/read.ts";
import { at, message, participant, user } from "../support/chat.ts";
import { eventually, type TestLog, testLog, world } from "../support/world.ts";

const ask = async ({ log, codec }: TestLog, ...args: readonly string[]): Promise<readonly string[]> => {
  const said: string[] = [];
  const command = deadCommand(
    async () => ({ log, codec, close: async () => undefined }),
    (line) => said.push(line),
  )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: "user" });
  return said;
};

const bytes = (text: string): Buffer => Buffer.from(text);

const letter = (id: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  id,
  processor: "conversations",
  topic: "chat.messages",
  partition: 1,
  offset: 7,
  timestamp: at("12:00"),
  key: bytes("c"),
  value: bytes("no Avro"),
  headers: {},
  reason: "it does not begin with Confluent's wire format",
  isWhole: true,
  settled: null,
  occurredAt: at("12:00"),
  ...more,
});

const put = ({ log, codec }: TestLog, ...letters: readonly DeadLetter[]): Promise<void> =>
  log.publish(letters.map((value) => ({ topic: "deadLetters", key: null, value: codec.encode("deadLetters", value) })));

test("dead letters are listed, shown with their bytes, and gone from the list once they are dropped", async () => {
  const logs = await testLog();
  expect(await ask(logs, "list")).toEqual(["there are none"]);
  await put(
    logs,
    letter("bbbb-2", { offset: 9, timestamp: at("12:01"), headers: { from: bytes("chat") }, key: null }),
    letter("aaaa-1"),
    letter("aaaa-1"),
  );
  expect(await ask(logs, "list")).toEqual([
    expect.stringMatching(/^id +logged +by +topic\/partition offset +state +reason$/),
    expect.stringMatching(/^aaaa-1 +2026-01-05T12:00:00.000Z +conversations +chat.messages\/1 7 +open +it does not/),
    expect.stringMatching(/^bbbb-2 +2026-01-05T12:01:00.000Z +conversations +chat.messages\/1 9 +open +it does not/),
  ]);
  expect(await ask(logs, "show", "b")).toEqual([
    "id           bbbb-2",
    "place        chat.messages/1 9",
    "logged       2026-01-05T12:01:00.000Z",
    "refused by   conversations",
    "reason       it does not begin with Confluent's wire format",
    "state        open",
    "key          none",
    "header from  chat",
    "value        7 bytes",
    expect.stringMatching(/^content +can't be read: .*Confluent's wire format/),
    "00000000  6e 6f 20 41 76 72 6f                             no Avro",
  ]);
  expect(await ask(logs, "drop", "aaaa", "bbbb-2")).toEqual(["2 dropped"]);
  expect(await ask(logs, "list")).toEqual(["there are none"]);
  const [, first] = await ask(logs, "list", "--all");
  expect(first).toMatch(/^aaaa-1 .* dropped +it does not/);
  const [shown] = await ask(logs, "show", "aaaa", "--json");
  expect(JSON.parse(shown ?? "")).toMatchObject({ settled: "DROPPED", value: bytes("no Avro").toString("base64") });
});

test("a retry with one record that can't be published again is refused, and publishes none", async () => {
  const logs = await testLog();
  await put(
    logs,
    letter("timer", { topic: "inboxes.timers", value: null }),
    letter("large", { isWhole: false }),
    letter("key", { key: Buffer.of(0xff) }),
    letter("place", { partition: 99 }),
    letter("well-1"),
    letter("well-2"),
  );
  await expect(ask(logs, "retry", "well-1", "timer")).rejects.toThrow("no record but a timer of inboxes");
  await expect(ask(logs, "retry", "well-1", "large")).rejects.toThrow("only its beginning is kept");
  await expect(ask(logs, "retry", "key")).rejects.toThrow("its key is not UTF-8");
  await expect(ask(logs, "retry", "place")).rejects.toThrow("chat.messages has no partition 99 any more");
  await expect(ask(logs, "retry", "well")).rejects.toThrow("2 dead letters have ids that begin with well");
  await expect(ask(logs, "drop", "nobody")).rejects.toThrow("no dead letter has an id that begins with nobody");
  for await (const { value } of readWhole(logs, "messages")) expect(value).toBeNull();
  expect(await ask(logs, "list")).toHaveLength(7);
});

test("a record that is published again is folded like a record that was never refused", async () => {
  const chat = await world();
  await using _ = chat.serve();
  const now = { occurredAt: Date.now() };
  await chat.publish(
    user("ada", "0:00", now),
    participant("c", "ada", "0:00", now),
    participant("c", "bob", "0:00", now),
  );
  const said = message("c", "bob", "m", "0:00", now);
  const value = Buffer.from(chat.codec.encode("messages", said.value));
  await put(chat, letter("was-1", { partition: 0, value, timestamp: now.occurredAt }));
  expect(await ask(chat, "retry", "was")).toEqual([expect.stringMatching(/^1 put on the log again/)]);
  await eventually(() => expect(chat.mailbox.mails().map(({ to }) => to)).toEqual([["ada@example.org"]]));
  expect(await ask(chat, "list")).toEqual(["there are none"]);
});
