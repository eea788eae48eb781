import { conversations } from "../../services/conversations/rule.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import { noSettings, type SettingsFields } from "../../services/domain/role-settings.ts";
import { topicIds, product, topics } from "../../services/domain/topics.ts";
import type { Partitions } from "../../services/platform/memory/log.ts";
import { memoryRegistry } from "../../services/platform/memory/registry.ts";
import { topology, type Topology } from "../../services/platform/memory/topology.ts";
import { avroCodec, registeredIds, schemaOf, subjectOf } from "../../services/platform/adapters/registry/codec.ts";
import { at } from "./chat.ts";
import { settingsSaid } from "./settings.ts";

/** A codec over a registry in memory that has all schemas. */
export const memoryCodec = async () => {
  const registry = memoryRegistry();
  for (const topic of topicIds) await registry.register(subjectOf(topics[topic], ""), schemaOf(topics[topic]));
  return avroCodec(product, registry, await registeredIds(product, registry, ""));
};

/**
 * Every processor of the project in memory, by the settings of `settingsSaid`.
 * @param start time of the start: midnight of the test's day by default, later for a test after an outage
 */
export const wholeTopology = async (
  settings: Partial<SettingsFields> = { timeout: 300 },
  partitions?: Partitions,
  start = at("00:00"),
): Promise<Topology> => {
  const made = topology(product, await memoryCodec(), start, partitions);
  await made.process(conversations, () => undefined);
  await made.process(inboxes, () => noSettings); // its settings come from the log instead
  await made.publish(settingsSaid(settings));
  return made;
};
