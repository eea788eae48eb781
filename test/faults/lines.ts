import { product, topics } from "../../services/domain/topics.ts";
import { expect, inject, onTestFinished } from "vitest";
import { avroCodec, registeredIds, schemaOf, subjectOf } from "../../services/platform/adapters/registry/codec.ts";
import { publish as publishRecords } from "../../services/platform/engine/output/publish.ts";
import { openRegistry } from "../../services/platform/adapters/registry/registry.ts";
import { startBrokers } from "../support/brokers.ts";
import { type World, world } from "../support/world.ts";
import { type Manner, type Measure, type Proxy, type Says, startProxy } from "./proxy.ts";

/** Proxies between the services and the log, and the registry. */
export interface Lines {
  readonly kafka: Proxy;
  readonly registry: Proxy;
}

/** The size of a request or an answer of Kafka's protocol: four bytes of length, and the length. */
const measure: Measure = (bytes) => (bytes.length < 4 ? null : 4 + bytes.readInt32BE(0));

const PRODUCE = 0;

/** Tells whether the message is a Produce request. */
const produces: Says = (request) => request.readInt16BE(4) === PRODUCE;

/** Cuts connections at a Produce request: its records are on the log or not, and the producer can't know. */
export const cutAtProduce = (isHandedOn: boolean): Manner => ({ type: "cut at", text: produces, isHandedOn });

/** Leaves Produce requests without an answer. */
export const unansweredAtProduce: Manner = { type: "unanswered at", text: produces };

/** A world behind proxies. */
export interface Wired {
  readonly lines: Lines;
  readonly chat: World;
  /** Publishes messages by a new schema from now on: readers must ask the registry. */
  renew(): Promise<void>;
}

/** A world on a broker of its own. Services reach it, and the registry, through proxies. */
export const wiredLog = async (): Promise<Wired> => {
  const proxies: Proxy[] = [];
  onTestFinished(async () => {
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  });
  const before = async (target: { readonly host: string; readonly port: number }, by: Measure | null = null) => {
    const proxy = await startProxy(target, by);
    proxies.push(proxy);
    return proxy;
  };
  const there = new URL(inject("registry"));
  const registry = await before({ host: there.hostname, port: Number(there.port) });
  there.host = `127.0.0.1:${registry.port}`;
  let kafka: Proxy = registry;
  const brokers = await startBrokers(1, async (port) => {
    kafka = await before({ host: "127.0.0.1", port }, measure);
    return kafka.port;
  });
  const settings = { LOG_LEVEL: "info", KAFKA_BROKERS: brokers.front, SCHEMA_REGISTRY_URL: there.href };
  const chat = await world(settings, {}, brokers);
  const { codec, renew } = await renewable(chat);
  const publish: World["publish"] = (...records) => publishRecords(chat.log, codec(), records);
  return { lines: { kafka, registry }, chat: { ...chat, publish }, renew };
};

const renewable = async ({ codec: first, prefix }: World) => {
  const registry = openRegistry(inject("registry"));
  const ids = new Map(await registeredIds(product, registry, prefix));
  let codec = first;
  let version = 0;
  return {
    codec: () => codec,
    async renew() {
      const schema = JSON.stringify({
        ...(JSON.parse(schemaOf(topics.messages)) as object),
        doc: `version ${++version}`,
      });
      const { id } = await registry.register(subjectOf(topics.messages, prefix), schema);
      expect(ids.get("messages")).not.toBe(id);
      codec = avroCodec(product, registry, ids.set("messages", id));
    },
  };
};
