import { randomInt } from "node:crypto";
import { afterAll } from "vitest";
import type { Child } from "../../deploy/local/child.ts";
import { formatNode, type KafkaNode, type Machine, newClusterId, startNode } from "../../deploy/local/kafka-node.ts";
import { isFree, ports } from "../../deploy/local/ports.ts";
import { fetchPrograms } from "../../deploy/local/programs.ts";
import { voice } from "../../deploy/local/voice.ts";
import { CACHE } from "./stack.ts";
import { folder } from "./world.ts";

/** Brokers of a test's own, which it may kill: a cluster of nodes that are broker and controller. */
export interface Brokers {
  /** `host:port[,…]` of all brokers. */
  readonly address: string;
  /** The same of the proxies before them, where there are any. */
  readonly front: string;
  /** Replicas of a topic's partition. */
  readonly replication: number;
  /** By the ids of their nodes. */
  readonly nodes: ReadonlyMap<number, Broker>;
}

export interface Broker {
  readonly id: number;
  /** Kills the broker with SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks the broker to stop, which hands over its leaderships; resolves when it is gone, or at once where it was. */
  stop(): Promise<void>;
  /** Starts the broker on the data and the ports that it had; resolves when it answers. */
  start(): Promise<void>;
}

/** MiB of heap. */
const HEAP = 256;
/** Short timeouts, so that the loss of a broker is noticed soon: tests wait for it. */
const QUICK = { "broker.session.timeout.ms": "4000", "broker.heartbeat.interval.ms": "500" };
/** Settings by which no acknowledged record is lost with a broker. */
const SAFE = {
  "min.insync.replicas": "2",
  "offsets.topic.replication.factor": "3",
};

const made = new AsyncDisposableStack();
afterAll(() => made.disposeAsync());

/**
 * Starts a cluster beside the tests' shared one. It is stopped at the end of the test file.
 * @param count one, or three of which two must have each acknowledged record
 * @param front starts a proxy before a broker that hands on to this port, and returns its own port
 */
export const startBrokers = async (
  count: 1 | 3,
  front: ((port: number) => Promise<number>) | null = null,
): Promise<Brokers> => {
  const machine = await findMachine();
  const ids = Array.from({ length: count }, (_none, index) => index + 1);
  const controllers = new Map<number, number>();
  for (const id of ids) controllers.set(id, await quietPort());
  const nodes: KafkaNode[] = [];
  for (const id of ids) {
    const [name, port] = [`kafka-${id}`, await quietPort()];
    const second = front === null ? undefined : await before(front);
    const settings = { ...QUICK, ...(count === 3 ? SAFE : {}) };
    nodes.push({ id, name, port, controllers, heap: HEAP, front: second, settings });
  }
  const clusterId = newClusterId();
  await Promise.all(nodes.map((node) => formatNode(machine, node, clusterId)));
  const all = nodes.map((node) => broker(machine, node));
  for (const one of all) made.defer(() => one.stop());
  await Promise.all(all.map((one) => one.start()));
  const addresses = (portOf: (node: KafkaNode) => number) => nodes.map((node) => `127.0.0.1:${portOf(node)}`).join(",");
  return {
    address: addresses(({ port }) => port),
    front: addresses((node) => node.front?.advertised ?? node.port),
    replication: count,
    nodes: new Map(all.map((one) => [one.id, one])),
  };
};

const broker = (machine: Machine, node: KafkaNode): Broker => {
  let child: Child | null = null;
  return {
    id: node.id,
    async kill() {
      if (child === null) throw new Error(`broker ${node.id} is dead already`);
      process.kill(child.pid, "SIGKILL");
      await child.exit;
      child = null;
    },
    async start() {
      child = await startNode(machine, node);
    },
    async stop() {
      await child?.[Symbol.asyncDispose]();
      child = null;
    },
  };
};

const findMachine = async (): Promise<Machine> => {
  const dataDir = folder();
  const say = voice((line) => console.log(line));
  const place = {
    dataDir,
    cacheDir: CACHE,
    environment: process.env,
    ports: ports(dataDir, {}),
    voice: say,
    throwaway: true,
  };
  const elsewhere = { kind: "given", address: "" } as const;
  const programs = fetchPrograms(place, { kafka: { kind: "process" }, registry: elsewhere, postgres: elsewhere });
  if (programs === undefined) throw new Error("Kafka is planned as a process, but its programs were not fetched");
  return { place, java: programs.java, jars: await programs.kafka };
};

const before = async (front: (port: number) => Promise<number>): Promise<KafkaNode["front"]> => {
  const port = await quietPort();
  return { port, advertised: await front(port) };
};

const taken = new Set<number>();

/**
 * A port below 32768, which the system gives to nobody by itself. While the broker is dead no other process may get its
 * port, nor a client that connects to it, which TCP would let talk to itself.
 */
const quietPort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    return port;
  }
};
