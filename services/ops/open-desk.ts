import { avroCodec, registeredIds } from "../runtime/codec.ts";
import { parse } from "../runtime/config.ts";
import { openKafka } from "../runtime/kafka.ts";
import { openRegistry } from "../runtime/registry.ts";
import { type CommonSettings, kafkaSettings } from "../runtime/serve.ts";
import { commonVariables } from "../runtime/settings.ts";
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
  const codec = avroCodec(registry, await registeredIds(registry, TOPIC_PREFIX));
  const log = openKafka(kafkaSettings(settings(), "whileaway-ops"));
  return { log, codec, close: () => log[Symbol.asyncDispose]() };
};
