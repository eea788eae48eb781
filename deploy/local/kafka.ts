import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildOnce } from "./build.ts";
import { guard, run, startChild } from "./child.ts";
import type { Java } from "./java.ts";
import { servesGroups } from "./kafka-wire.ts";
import { fetched, type Fetched } from "./maven.ts";
import { upIn, type Place, type Started } from "./place.ts";
import { withPort } from "./ports.ts";
import { untilReady } from "./ready.ts";

/** After a kill -9 of the broker itself its session of 9 s must end first. */
const READY_MS = 90_000;

/** What Kafka is told besides its addresses, here and in a container: one node, small, and for clients that test. */
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

/** Kafka's jars, as Maven fetches them. */
export function kafkaJars(cacheDir: string): Fetched {
  return fetched("kafka", cacheDir, [["dependency:copy-dependencies", "-DincludeScope=runtime"]]);
}

/** One Kafka node, broker and controller in one process of ours, from a folder of jars. */
export async function startKafka(place: Place, java: Java, jars: string): Promise<Started> {
  const home = join(place.dataDir, "kafka");
  await mkdir(home, { recursive: true });
  const data = await buildOnce(join(home, "data"), (temporary) => format(place, java, jars, home, temporary));
  return withPort(place.ports, "kafka", (port) =>
    withPort(place.ports, "kafkaController", async (controller) => {
      const began = performance.now();
      await writeFile(join(home, "server.properties"), properties(port, controller, "data"));
      await using started = new AsyncDisposableStack();
      const child = started.use(startChild(place.dataDir, broker(place, java, jars, home)));
      // The log first: a stranger's broker on the port would answer as well.
      const ready = async () => child.output().includes("Kafka Server started") && (await servesGroups(port));
      await untilReady(child, ready, READY_MS);
      started.use(guard(child, place.voice));
      const { version } = kafkaJars(place.cacheDir);
      place.voice.say(
        `kafka: Apache Kafka ${version} at 127.0.0.1:${port}, process ${child.pid}, Java ${java.version}, data in ${data}, ${upIn(began)}`,
      );
      return { address: `127.0.0.1:${port}`, stop: started.move() };
    }),
  );
}

/** A cluster id as Kafka writes them, and none that reads as an option. */
export function newClusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? newClusterId() : id;
}

function properties(port: number, controller: number, data: string): string {
  const lines = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    // Relative to where it runs: the whole path may hold a comma or a backslash, which mean something here.
    "log.dirs": data,
    ...SETTINGS,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

async function format(place: Place, java: Java, jars: string, home: string, temporary: string): Promise<void> {
  const file = join(home, "format.properties");
  await writeFile(file, properties(1, 2, temporary.slice(home.length + 1)));
  const args = [
    "-Xmx128m",
    "-XX:TieredStopAtLevel=1",
    "kafka.tools.StorageTool",
    "format",
    "-t",
    newClusterId(),
    "-c",
    file,
  ];
  await run(place.dataDir, { ...javaProgram(java, jars, home, args), name: "kafka-format" });
  await rm(file);
}

// The JIT is left alone unless a quick start is worth more than speed later: the broker also serves the benchmarks.
function broker({ throwaway }: Place, java: Java, jars: string, home: string) {
  const quick = throwaway ? ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] : [];
  return javaProgram(java, jars, home, ["-Xms256m", "-Xmx512m", ...quick, "kafka.Kafka", "server.properties"]);
}

function javaProgram(java: Java, jars: string, home: string, args: readonly string[]) {
  const logging = pathToFileURL(join(import.meta.dirname, "kafka/log4j2.properties")).href;
  return {
    name: "kafka",
    command: java.command,
    args: ["-cp", join(jars, "*"), `-Dlog4j2.configurationFile=${logging}`, ...args],
    cwd: home,
    environment: { LC_ALL: "C" },
    stop: "SIGTERM" as const,
  };
}
