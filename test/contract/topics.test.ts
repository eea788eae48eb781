import { randomUUID } from "node:crypto";
import { expect, inject, test } from "vitest";
import { topicIds, topics, product } from "../../services/domain/topics.ts";
import { schemaOf } from "../../services/platform/adapters/registry/codec.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import { openRegistry } from "../../services/platform/adapters/registry/registry.ts";
import { ensureTopics, untilThere } from "../../services/platform/app/ensure-topics.ts";

const open = (prefix: string) =>
  openKafka(product, { brokers: inject("kafka").split(","), clientId: "tests", prefix, tls: false });

test("missing topics are created as declared, and present ones are compared and left unchanged", async () => {
  const prefix = `t${randomUUID().slice(0, 8)}.`;
  const registry = openRegistry(inject("registry"));
  await using kafka = open(prefix);
  await kafka.create([
    { topic: "presence", partitions: 5, replication: 1, config: { "retention.ms": "3600000" } },
    { topic: "users", partitions: 2, replication: 1, config: { "cleanup.policy": "delete" } },
    { topic: "inbox", partitions: 2, replication: 1, config: { "retention.ms": "1000" } },
  ]);
  await untilThere(kafka, ["presence", "users", "inbox"]);
  const first = await ensureTopics(product, kafka, registry, prefix, 2, 1);
  expect(first.created).toHaveLength(topicIds.length - 3);
  expect(first.created).toContain(`${prefix}notification.events: 2 partitions, delete`);
  expect(first.differing.toSorted()).toEqual([
    expect.stringContaining(`${prefix}chat.presence: 5 partitions, our own topics have 2`),
    `${prefix}chat.users: cleanup.policy is delete, declared compact; left as it is`,
    expect.stringMatching(/whileaway\.inbox: max\.message\.bytes is \d+, declared 2097152; left as it is/),
    `${prefix}whileaway.inbox: retention.ms is 1000, declared ${topics.inbox.retention}; left as it is`,
  ]);
  const again = await ensureTopics(product, kafka, registry, prefix, 2, 1);
  expect(again).toEqual({ created: [], differing: first.differing });
  const described = await kafka.describe();
  expect(described.get("users")?.config["cleanup.policy"]).toBe("delete");
  expect(described.get("deadLetters")?.config["retention.ms"]).toBe(String(topics.deadLetters.retention));
});

test("a subject with another compatibility keeps it, and the report says so", async () => {
  const prefix = `t${randomUUID().slice(0, 8)}.`;
  const subject = `${prefix}chat.users-value`;
  const change = { method: "PUT", headers: { "content-type": "application/json" }, body: '{"compatibility":"FULL"}' };
  const register = { ...change, method: "POST", body: JSON.stringify({ schema: schemaOf(topics.users) }) };
  await fetch(`${inject("registry")}/subjects/${subject}/versions`, register);
  expect((await fetch(`${inject("registry")}/config/${subject}`, change)).status).toBe(200);
  await using kafka = open(prefix);
  const { differing } = await ensureTopics(product, kafka, openRegistry(inject("registry")), prefix, 1, 1);
  expect(differing).toEqual([`${subject}: compatibility is FULL, declared BACKWARD; left as it is`]);
});
