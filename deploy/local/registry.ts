import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { guard, startChild, untilReady } from "./child.ts";
import { LocalStackError } from "./errors.ts";
import type { Java } from "./java.ts";
import { fetched, type Fetched } from "./maven.ts";
import { upIn, type Place, type Started } from "./place.ts";
import { withPort } from "./ports.ts";

const READY_MS = 300_000;
const ANSWER_MS = 5_000;
/** Quick to start rather than fast for long: a client asks for each schema once. */
const JVM = ["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
/** The path of Apicurio's Confluent-compatible API. */
export const API = "/apis/ccompat/v7";

/** Apicurio Registry, as Maven fetches it. */
export function registryFiles(cacheDir: string): Fetched {
  // 3.8 where 2.10 will not run: a Maven newer than both was not tried.
  return fetched("registry", cacheDir, [["dependency:unpack"], ["dependency:unpack", "-Dplugin.version=3.8.1"]]);
}

/**
 * Apicurio Registry as a process of ours, from a folder that Maven filled. Its schemas and ids are in a database of
 * `postgresUrl`'s server.
 */
export async function startRegistry(
  place: Place,
  java: Java,
  folder: string,
  postgresUrl: string,
  database: string,
): Promise<Started> {
  return withPort(place.ports, "registry", async (port) => {
    const began = performance.now();
    await using started = new AsyncDisposableStack();
    const storage = storageSettings(postgresUrl, database);
    const child = started.use(startChild(place.dataDir, await program(place, java, folder, port, storage)));
    const address = `http://127.0.0.1:${port}${API}`;
    // The log first: a stranger on the port would answer as well.
    const ready = async () => child.output().includes("Listening on:") && (await speaksConfluent(address));
    await untilReady(child, ready, READY_MS);
    started.use(guard(child, place.voice));
    place.voice.say(
      `registry: Apicurio Registry ${registryFiles(place.cacheDir).version} at ${address}, process ${child.pid}, Java ${java.version}, data in database ${database}, ${upIn(began)}`,
    );
    return { address, stop: started.move() };
  });
}

/** Tells whether a registry answers Confluent's list of subjects. */
export async function speaksConfluent(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/subjects`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return response.ok && Array.isArray(await response.json());
  } catch {
    return false;
  }
}

/** Apicurio's settings for keeping its data in PostgreSQL, as environment variables. */
export function storageSettings(postgresUrl: string, database: string): Record<string, string> {
  const { hostname, port, username, password, searchParams } = new URL(postgresUrl);
  const tls = searchParams.get("sslmode");
  return {
    APICURIO_STORAGE_KIND: "sql",
    APICURIO_STORAGE_SQL_KIND: "postgresql",
    APICURIO_DATASOURCE_URL: `jdbc:postgresql://${hostname}:${port || 5432}/${database}${tls ? `?sslmode=${tls}` : ""}`,
    APICURIO_DATASOURCE_USERNAME: decodeURIComponent(username),
    APICURIO_DATASOURCE_PASSWORD: decodeURIComponent(password),
    APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: "2",
    APICURIO_DATASOURCE_JDBC_MIN_SIZE: "2",
    APICURIO_DATASOURCE_JDBC_MAX_SIZE: "10",
    QUARKUS_HTTP_ACCESS_LOG_ENABLED: "false",
    // Without this category no line reports that the registry listens.
    QUARKUS_LOG_CATEGORY__IO_QUARKUS__LEVEL: "INFO",
  };
}

async function program(place: Place, java: Java, folder: string, port: number, storage: Record<string, string>) {
  const jar = (await readdir(folder)).find((name) => name.endsWith("-runner.jar"));
  if (!jar) throw new LocalStackError(`No runner jar in ${folder}: delete that folder, so that it is fetched anew`);
  const cwd = join(place.dataDir, "registry");
  await mkdir(cwd, { recursive: true });
  return {
    name: "registry",
    command: java.command,
    args: [...JVM, "-jar", join(folder, jar)],
    cwd,
    environment: {
      LC_ALL: "C",
      QUARKUS_HTTP_HOST: "127.0.0.1",
      QUARKUS_HTTP_PORT: String(port),
      ...storage,
    },
    stop: "SIGTERM" as const,
  };
}
