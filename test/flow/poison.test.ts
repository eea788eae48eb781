import { expect, test } from "vitest";
import type { DeadLetter } from "../../services/platform/contract/records.ts";
import { laneOf } from "../../services/platform/contract/lane.ts";
import type { RawRecord } from "../../services/platform/contract/ports.ts";
import { message, participant, user } from "../support/chat.ts";
import { eventually, PARTITIONS, type World, world } from "../support/world.ts";

const now = (): { readonly occurredAt: number } => ({ occurredAt: Date.now() });

const bytes = (chat: World, said: ReturnType<typeof message>): Uint8Array => chat.codec.encode(said.topic, said.value);

const deadLetters = async (chat: World, count: number): Promise<readonly DeadLetter[]> => {
  const letters: DeadLetter[] = [];
  await using reader = await chat.log.subscribe("reader", ["deadLetters"], PARTITIONS);
  let assigned: unknown = null;
  await eventually(() => {
    const places = reader.assigned();
    if (places !== assigned) for (const place of places) reader.seek(place, null);
    assigned = places;
    const read = ({ value }: RawRecord): DeadLetter =>
      chat.codec.decode("deadLetters", value ?? new Uint8Array()) as DeadLetter;
    for (const { records } of reader.take(100)) letters.push(...records.map(read));
    expect(letters).toHaveLength(count);
  });
  return letters;
};

test("a bad record never stops a partition: its bytes, partition, offset and reason are in a dead letter", async () => {
  const chat = await world();
  await using _ = chat.serve();
  const partition = laneOf("c", PARTITIONS);
  const on = { topic: "messages", partition, key: "c" } as const;
  const unknownId = Uint8Array.of(0, 0, 15, 66, 63, 1);
  const huge = new Uint8Array(1_000_000).fill(7);
  await chat.publish(
    user("ada", "0:00", now()),
    participant("c", "ada", "0:00", now()),
    participant("c", "bob", "0:00", now()),
  );
  await eventually(async () => {
    const [row] = await chat.database.query<{ members: number }>("select count(*) as members from state_conversations");
    expect(row?.members).toBe(1);
  });
  const good = message("c", "bob", "good", "0:00", now());
  await chat.log.publish([
    { ...on, value: Uint8Array.of(1, 2, 3) },
    { ...on, value: unknownId },
    { ...on, value: bytes(chat, good).slice(0, 12) },
    { ...on, value: huge },
    { ...on, key: null, value: bytes(chat, good) },
    { ...on, value: bytes(chat, message("another", "bob", "m", "0:00", now())) },
    { ...on, value: bytes(chat, message("c", "bob", "", "0:00", now())) },
    { ...on, value: bytes(chat, good) },
  ]);
  await eventually(() => expect(chat.mailbox.mails().map(({ to }) => to)).toEqual([["ada@example.org"]]));
  const letters = (await deadLetters(chat, 7)).toSorted((a, b) => a.offset - b.offset);
  expect(letters.map(({ reason }) => reason)).toEqual([
    expect.stringContaining("Confluent's wire format"),
    "its schema id 999999 is not in the registry",
    expect.stringContaining("is not Avro by its schema"),
    expect.stringContaining("Confluent's wire format"),
    expect.stringContaining("is null"),
    'its key is "c" but its conversationId is "another": produce the record with its conversationId as the key',
    expect.stringContaining("messageId"),
  ]);
  expect(letters[3]).toMatchObject({ processor: "conversations", topic: "chat.messages", partition, offset: 3 });
  expect(letters[3]?.value?.length).toBe(huge.length);
  expect([...(letters[1]?.value ?? [])]).toEqual([...unknownId]);
});

test("records on any partition find the rows of their key", async () => {
  const chat = await world();
  await using _ = chat.serve();
  const elsewhere = (key: string): number => (laneOf(key, PARTITIONS) + 1) % PARTITIONS;
  const said = [
    user("ada", "0:00", now()),
    participant("c", "ada", "0:00", now()),
    participant("c", "bob", "0:00", now()),
  ];
  const put = (records: readonly (typeof said)[number][]): Promise<void> =>
    chat.log.publish(
      records.map(({ topic, key, value }) => ({
        topic,
        key,
        partition: elsewhere(key),
        value: chat.codec.encode(topic, value),
      })),
    );
  await put(said);
  await eventually(async () => {
    const [row] = await chat.database.query<{ rows: number; lane: number }>(
      "select count(*) as rows, min(lane) as lane from state_conversations",
    );
    expect(row).toEqual({ rows: 1, lane: laneOf("c", PARTITIONS) });
  });
  const last = message("c", "bob", "m", "0:00", now());
  await chat.log.publish([{ topic: "messages", key: "c", partition: elsewhere("c"), value: bytes(chat, last) }]);
  await eventually(() => expect(chat.mailbox.mails().map(({ to }) => to)).toEqual([["ada@example.org"]]));
});
