import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hostOf, startContainer, volumeOf, type Box, type Container } from "./container.ts";
import { answers } from "./database.ts";
import type { Docker } from "./docker.ts";
import { newClusterId, SETTINGS } from "./kafka-node.ts";
import { servesGroups } from "./kafka-wire.ts";
import { upIn, type Place, type Started } from "./place.ts";
import { withPort } from "./ports.ts";
import { keptPassword, NAME, postgresSettings } from "./postgres-settings.ts";
import { API, speaksConfluent, storageSettings } from "./registry.ts";

const READY_MS = 300_000;
const KAFKA_PORT = 9092;
const CONTROLLER_PORT = 9093;
const POSTGRES_PORT = 5432;
const REGISTRY_PORT = 8080;

/** Apache Kafka in a container, from an image of the Apache project's layout. */
export async function startKafkaContainer(place: Place, docker: Docker, image: string): Promise<Started> {
  const host = hostOf(docker);
  const cluster = await keptCluster(place.dataDir);
  return withPort(place.ports, "kafka", async (port) => {
    const environment = { CLUSTER_ID: cluster, KAFKA_HEAP_OPTS: "-Xms256m -Xmx512m", ...kafkaEnvironment(host, port) };
    const ready = (log: string) => said(log, "Kafka Server started").then((up) => up && servesGroups(port, host));
    const box: Box = {
      name: "kafka",
      image,
      environment,
      port: { inside: KAFKA_PORT, host: port },
      data: "/var/lib/kafka/data",
    };
    return running(place, docker, box, ready, `${host}:${port}`);
  });
}

/** PostgreSQL in a container, from an image of the official layout, with its address for other containers. */
export async function startPostgresContainer(
  place: Place,
  docker: Docker,
  image: string,
): Promise<Started & { readonly inside: string }> {
  const host = hostOf(docker);
  const password = await keptPassword(place.dataDir);
  const settings = Object.entries(postgresSettings(place.throwaway)).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  return withPort(place.ports, "postgres", async (port) => {
    const url = (at: string) => `postgres://${NAME}:${password}@${at}/${NAME}`;
    const box: Box = {
      name: "postgres",
      image,
      // A folder below the volume: images differ in the name of their own folder, and a volume's root may not be empty.
      environment: {
        POSTGRES_USER: NAME,
        POSTGRES_DB: NAME,
        POSTGRES_PASSWORD: password,
        PGDATA: "/var/lib/postgresql/whileaway",
        POSTGRES_INITDB_ARGS: "--encoding=UTF8 --locale=C.UTF-8",
      },
      command: ["postgres", ...settings],
      port: { inside: POSTGRES_PORT, host: port },
      data: "/var/lib/postgresql",
    };
    // First set-ups listen inside only, so an answer comes from the server that stays.
    const started = await running(place, docker, box, () => answers(url(`${host}:${port}`)), `${host}:${port}`);
    return { ...started, address: url(`${host}:${port}`), inside: url(`${started.container.ip}:${POSTGRES_PORT}`) };
  });
}

/** Apicurio Registry in a container; `postgresUrl` is PostgreSQL's address for containers. */
export async function startRegistryContainer(
  place: Place,
  docker: Docker,
  image: string,
  postgresUrl: string,
  database: string,
): Promise<Started> {
  const host = hostOf(docker);
  return withPort(place.ports, "registry", async (port) => {
    const environment = { ...storageSettings(postgresUrl, database), QUARKUS_HTTP_PORT: String(REGISTRY_PORT) };
    const address = `http://${host}:${port}${API}`;
    const box: Box = { name: "registry", image, environment, port: { inside: REGISTRY_PORT, host: port } };
    return running(place, docker, box, () => speaksConfluent(address), address);
  });
}

async function running(
  place: Place,
  docker: Docker,
  box: Box,
  ready: (log: string) => Promise<boolean>,
  address: string,
): Promise<Started & { container: Container }> {
  const began = performance.now();
  const container = await startContainer(place, docker, box, ready, READY_MS);
  const volume = box.data && volumeOf(place, box.name);
  place.voice.say(
    `${box.name}: ${box.image} at ${address}, a container${volume ? `, data in volume ${volume}` : ""}, ${upIn(began)}`,
  );
  return { address, stop: container, container };
}

function kafkaEnvironment(host: string, port: number): Record<string, string> {
  const settings = {
    "node.id": "1",
    "process.roles": "broker,controller",
    listeners: `PLAINTEXT://:${KAFKA_PORT},CONTROLLER://:${CONTROLLER_PORT}`,
    "advertised.listeners": `PLAINTEXT://${host}:${port}`,
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.voters": `1@localhost:${CONTROLLER_PORT}`,
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "log.dirs": "/var/lib/kafka/data",
    ...SETTINGS,
  };
  // The images' rule: KAFKA_, dots to underscores.
  const variable = (name: string) => `KAFKA_${name.toUpperCase().replaceAll(".", "_")}`;
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [variable(name), value]));
}

async function keptCluster(dataDir: string): Promise<string> {
  const file = join(dataDir, "kafka.cluster");
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept) return kept;
  const cluster = newClusterId();
  await writeFile(file, cluster);
  return cluster;
}

async function said(log: string, words: string): Promise<boolean> {
  return (await readFile(log, "utf8").catch(() => "")).includes(words);
}
