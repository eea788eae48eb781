import { product } from "../domain/topics.ts";
import { avroCodec, registeredIds } from "../platform/adapters/registry/codec.ts";
import { parse } from "../platform/app/config.ts";
import { openKafka } from "../platform/adapters/kafka/log.ts";
import { openRegistry } from "../platform/adapters/registry/registry.ts";
import { type CommonSettings, kafkaSettings } from "../platform/app/serve.ts";
import { commonVariables } from "../platform/app/variables.ts";
import type { OpenDesk } from "./desk.ts";
import { dataDir, runningStack } from "./stack.ts";

/** The environment; what it doesn't say is taken from the local stack that runs here, if one does. */
export const environment: Readonly<Record<string, string | undefined>> = {
  ...runningStack(dataDir(process.env))?.environment,
  ...process.env,
};

/** Throws Fatal with what is wrong in the environment. */
export const settings = (): CommonSettings => parse(commonVariables, environment);

/** Opens the log that the environment names. */
export const openDesk: OpenDesk = async () => {
  const { SCHEMA_REGISTRY_URL, TOPIC_PREFIX } = settings();
  const registry = openRegistry(SCHEMA_REGISTRY_URL);
  const codec = avroCodec(product, registry, await registeredIds(product, registry, TOPIC_PREFIX));
  const log = openKafka(product, kafkaSettings(settings(), "whileaway-ops"));
  return { log, codec, close: () => log[Symbol.asyncDispose]() };
};
