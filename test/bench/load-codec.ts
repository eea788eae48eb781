import type { TopicId } from "../../services/platform/contract/topic.ts";
import type { Codec } from "../../services/platform/contract/ports.ts";
import { product, declared } from "../../services/domain/topics.ts";
import { memoryRegistry } from "../../services/platform/memory/registry.ts";
import { avroType } from "../../services/platform/adapters/registry/avro.ts";
import { avroCodec, registeredIds, schemaOf } from "../../services/platform/adapters/registry/codec.ts";
import type { KafkaLog } from "../../services/platform/adapters/kafka/client.ts";
import { ensureTopics } from "../../services/platform/app/ensure-topics.ts";

/** The chat's topics that the load fills. */
export const INPUTS: readonly TopicId[] = ["users", "participants", "presence", "messages"];
export const PARTITIONS = 8;
/** Zero bytes in place of a schema id: the load has no registry, and its reader skips them. */
const PREFIX = 5;

/** Makes our topics where they are missing, and a codec for them and the load's. Its ids are equal in every process. */
export const loadCodec = async (log: KafkaLog): Promise<Codec> => {
  const registry = memoryRegistry();
  await ensureTopics(product, log, registry, "", PARTITIONS, 1);
  const own = avroCodec(product, registry, await registeredIds(product, registry, ""));
  const chat = new Map(INPUTS.map((topic) => [topic, avroType(schemaOf(declared(topic)))]));
  return {
    ...own,
    prepare: (records) => own.prepare(records.filter(({ topic }) => !chat.has(topic))),
    decode(topic, value) {
      const type = chat.get(topic);
      return type === undefined
        ? own.decode(topic, value)
        : (type.fromBuffer(Buffer.from(value.buffer, value.byteOffset + PREFIX, value.byteLength - PREFIX)) as unknown);
    },
  };
};
