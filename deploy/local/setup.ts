import { DEFAULT_PARTITIONS, product } from "../../services/domain/topics.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import { migrate } from "../../services/platform/adapters/postgres/migrations.ts";
import { openRegistry } from "../../services/platform/adapters/registry/registry.ts";
import { ensureTopics } from "../../services/platform/app/ensure-topics.ts";
import type { Stack } from "./stack.ts";

/** Topics, schemas and tables, as `ops topics` and `ops migrate` make them. */
export const setUp = async (stack: Stack, prefix: string, say: (line: string) => void): Promise<void> => {
  await using kafka = openKafka(product, {
    brokers: stack.kafka.split(","),
    clientId: "whileaway-setup",
    prefix,
    tls: false,
  });
  const [{ created, differing }, migrations] = await Promise.all([
    ensureTopics(product, kafka, openRegistry(stack.registry), prefix, DEFAULT_PARTITIONS, 1),
    migrate(stack.postgres),
  ]);
  for (const line of differing) say(`topics: ${line}`);
  say(`topics: ${created.length} created; tables: ${migrations.length} migrations run`);
};
