import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildOnce } from "./build.ts";
import { type Child, run, startChild, untilReady } from "./child.ts";
import type { Java } from "./java.ts";
import { speaksKafka } from "./kafka-wire.ts";
import type { Place } from "./place.ts";

/** Milliseconds for a start. After a kill -9 of the broker itself its session of 9 s must end first. */
export const READY_MS = 300_000;

/** Kafka's settings besides its addresses, for processes and containers: one small node, for clients that test. */
export const SETTINGS = {
  "auto.create.topics.enable": "false",
  "delete.topic.enable": "true",
  "group.initial.rebalance.delay.ms": "0",
  "offsets.topic.replication.factor": "1",
  "offsets.topic.num.partitions": "10",
  "transaction.state.log.replication.factor": "1",
  "transaction.state.log.min.isr": "1",
  "transaction.state.log.num.partitions": "5",
  "share.coordinator.state.topic.replication.factor": "1",
  "share.coordinator.state.topic.min.isr": "1",
  "log.cleaner.dedupe.buffer.size": "33554432", // 128 MiB by default, a quarter of the heap
} as const;

/** The folder and the programs of nodes. */
export interface Machine {
  readonly place: Place;
  readonly java: Java;
  /** The folder of Kafka's jars. */
  readonly jars: string;
}

/** One node of a cluster: broker and controller in one process of ours. */
export interface KafkaNode {
  readonly id: number;
  /** Name of its folder, its log and its process: unique in a place. */
  readonly name: string;
  readonly port: number;
  /** The ports of all controllers of the cluster, by the ids of their nodes. */
  readonly controllers: ReadonlyMap<number, number>;
  /** Largest heap, in MiB. */
  readonly heap: number;
  /** A second listener. Its clients are told to connect to another port: that of a proxy before it. */
  readonly front?: { readonly port: number; readonly advertised: number } | undefined;
  /** Settings on top of the usual ones, or in their stead. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** A node without the settings that change from one start to the next. */
export type Identity = Pick<KafkaNode, "id" | "name">;

/** A cluster id as Kafka writes them, and never one that reads as an option. */
export function newClusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? newClusterId() : id;
}

/** Makes the data folder of a node unless there is one; returns its path. */
export async function formatNode(machine: Machine, { id, name }: Identity, clusterId: string): Promise<string> {
  const home = join(machine.place.dataDir, name);
  await mkdir(home, { recursive: true });
  return buildOnce(join(home, "data"), async (temporary) => {
    const file = join(home, "format.properties");
    const [port, controller, heap] = [1, 2, 128]; // placeholders: this process never listens
    const node = { id, name, port, controllers: new Map([[id, controller]]), heap };
    await writeFile(file, properties(node, temporary.slice(home.length + 1)));
    const command = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", file];
    await run(machine.place.dataDir, {
      ...program(machine, node, ["-XX:TieredStopAtLevel=1", ...command]),
      name: `${name}-format`,
    });
    await rm(file);
  });
}

/** Starts a node on the data that it has; resolves when it answers. */
export async function startNode(machine: Machine, node: KafkaNode): Promise<Child> {
  await writeFile(join(machine.place.dataDir, node.name, "server.properties"), properties(node, "data"));
  await using started = new AsyncDisposableStack();
  // The JIT is limited only where a quick start is worth more than speed later: the broker also serves the benchmarks.
  const quick = machine.place.throwaway ? ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] : [];
  const args = ["-Xms256m", ...quick, "kafka.Kafka", "server.properties"];
  const child = started.use(startChild(machine.place.dataDir, program(machine, node, args)));
  // The log first: a stranger's broker on the port would answer as well.
  const ready = async () => child.output().includes("Kafka Server started") && (await speaksKafka(node.port));
  await untilReady(child, ready, READY_MS);
  started.move();
  return child;
}

function properties({ id, port, controllers, front, settings }: KafkaNode, data: string): string {
  const doors = front === undefined ? [] : [`FRONT://127.0.0.1:${front.port}`];
  const advertised = front === undefined ? [] : [`FRONT://127.0.0.1:${front.advertised}`];
  const own = `PLAINTEXT://127.0.0.1:${port}`;
  const lines = {
    "process.roles": "broker,controller",
    "node.id": String(id),
    "controller.quorum.voters": Array.from(controllers, ([voter, at]) => `${voter}@127.0.0.1:${at}`).join(","),
    "controller.listener.names": "CONTROLLER",
    listeners: [own, ...doors, `CONTROLLER://127.0.0.1:${controllers.get(id)}`].join(","),
    "advertised.listeners": [own, ...advertised].join(","),
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,FRONT:PLAINTEXT",
    // Relative to its working folder: the whole path may hold a comma or a backslash, which have a meaning here.
    "log.dirs": data,
    ...SETTINGS,
    ...settings,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function program({ place, java, jars }: Machine, { name, heap }: KafkaNode, args: readonly string[]) {
  const logging = pathToFileURL(join(import.meta.dirname, "kafka/log4j2.properties")).href;
  return {
    name,
    command: java.command,
    args: ["-cp", join(jars, "*"), `-Dlog4j2.configurationFile=${logging}`, `-Xmx${heap}m`, ...args],
    cwd: join(place.dataDir, name),
    environment: { LC_ALL: "C" },
    stop: "SIGTERM" as const,
  };
}
