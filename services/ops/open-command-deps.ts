import { product } from "../domain/topics.ts";
import { avroCodec, registeredIds } from "../platform/adapters/registry/codec.ts";
import { parse } from "../platform/app/config.ts";
import { openKafka } from "../platform/adapters/kafka/log.ts";
import { openRegistry } from "../platform/adapters/registry/registry.ts";
import { type CommonSettings, kafkaSettings } from "../platform/app/serve.ts";
import { commonVariables } from "../platform/app/variables.ts";
import type { OpenCommandDeps } from "./command-deps.ts";
import { dataDir, runningStack } from "./stack.ts";

/** The environment, completed from the local stack if one runs here. */
export const environment: Readonly<Record<string, string | undefined>> = {
  ...runningStack(dataDir(process.env))?.environment,
  ...process.env,
};

/** Parses the environment. Throws Fatal with each variable that is wrong. */
export const settings = (): CommonSettings => parse(commonVariables, environment);

/** Opens the log that the environment names. */
export const openCommandDeps: OpenCommandDeps = async () => {
  const { SCHEMA_REGISTRY_URL, TOPIC_PREFIX } = settings();
  const registry = openRegistry(SCHEMA_REGISTRY_URL);
  const codec = avroCodec(product, registry, await registeredIds(product, registry, TOPIC_PREFIX));
  const log = openKafka(product, kafkaSettings(settings(), "whileaway-ops"));
  return { log, codec, close: () => log[Symbol.asyncDispose]() };
};
