import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ContainerRuntimeClient } from "testcontainers";
import { LocalStackError } from "./errors.ts";
import type { Place } from "./place.ts";
import type { Mode, Part } from "./plan.ts";

const ENGINE_MS = 10_000;
/** Milliseconds without progress after which a pull has failed. */
const STALLED_MS = 20_000;
const INSPECT_MS = 10_000;

const IMAGES: Record<Part, { readonly variable: string; readonly image: string }> = {
  kafka: { variable: "KAFKA_IMAGE", image: "apache/kafka:4.1.0" },
  registry: { variable: "SCHEMA_REGISTRY_IMAGE", image: "apicurio/apicurio-registry:3.0.9" },
  postgres: { variable: "POSTGRES_IMAGE", image: "postgres:18" },
};

/** A Docker engine that answers, and the wanted images that it has. */
export interface Docker {
  readonly client: ContainerRuntimeClient;
  readonly images: ReadonlyMap<Part, string>;
  /** Marks the containers of this run among those of the same data folder. */
  readonly run: string;
}

/**
 * Looks for an engine and for the images of the wanted parts, pulling missing ones, and prints a line for each failure.
 * Returns undefined when Docker is not to be used or does not answer; throws LocalStackError if it must be used and
 * does not.
 */
export async function findDocker(place: Place, mode: Mode, wanted: readonly Part[]): Promise<Docker | undefined> {
  if (mode === "processes" || wanted.length === 0) return undefined;
  const client = hintsAtDocker(place.environment) ? await engine() : undefined;
  if (!client) {
    if (mode === "docker") throw new LocalStackError("LOCAL_STACK=docker, but no Docker engine answers: start one");
    place.voice.say("docker: no engine answers, so processes are started");
    return undefined;
  }
  const had = await Promise.all(wanted.map(async (part) => [part, await imageOf(place, client, part)] as const));
  const images = new Map(had.flatMap(([part, image]) => (image ? [[part, image] as const] : [])));
  return { client, images, run: randomUUID() };
}

/** Tells whether a variable, a file of settings, or a socket where testcontainers looks for one suggests an engine. */
export function hintsAtDocker(environment: Record<string, string | undefined>): boolean {
  if (environment["DOCKER_HOST"] || environment["TESTCONTAINERS_HOST_OVERRIDE"]) return true;
  const home = environment["HOME"] ?? homedir();
  const runtime = environment["XDG_RUNTIME_DIR"] ?? `/run/user/${process.getuid?.() ?? 0}`;
  const files = ["/var/run/docker.sock", join(home, ".testcontainers.properties"), join(runtime, "docker.sock")];
  for (const folder of [".docker/run", ".docker/desktop"]) files.push(join(home, folder, "docker.sock"));
  return files.some((file) => existsSync(file));
}

// Imported only here: it takes more than a second, which users without Docker need not wait.
async function engine(): Promise<ContainerRuntimeClient | undefined> {
  const { getContainerRuntimeClient } = await import("testcontainers");
  return within(getContainerRuntimeClient(), ENGINE_MS).catch(() => undefined);
}

async function imageOf(place: Place, client: ContainerRuntimeClient, part: Part): Promise<string | undefined> {
  const { variable, image: standard } = IMAGES[part];
  const image = place.environment[variable] || standard;
  const { dockerode } = client.container;
  try {
    const known = await within(dockerode.getImage(image).inspect(), INSPECT_MS).catch(() => undefined);
    if (!known) await pull(place, client, part, image);
    return image;
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(
      /^\(HTTP code \d+\) server error - /,
      "",
    );
    place.voice.say(`${part}: the image ${image} cannot be had (${why.trim()}); ${variable} may name another`);
    return undefined;
  } finally {
    place.voice.still(part);
  }
}

interface PullEvent {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number };
}

async function pull(place: Place, client: ContainerRuntimeClient, part: Part, image: string): Promise<void> {
  const { dockerode } = client.container;
  place.voice.moving(part, `pulling ${image}`);
  const stream = await within(dockerode.pull(image), STALLED_MS);
  const layers = new Map<string, number>();
  await new Promise<void>((resolve, reject) => {
    const stalled = () => reject(new Error(`the pull has stalled: nothing came for ${STALLED_MS / 1000} s`));
    let timer = setTimeout(stalled, STALLED_MS);
    const done = (error: Error | null) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    };
    dockerode.modem.followProgress(stream, done, (event: PullEvent) => {
      clearTimeout(timer);
      timer = setTimeout(stalled, STALLED_MS);
      if (event.id && event.status === "Downloading") layers.set(event.id, event.progressDetail?.current ?? 0);
      const bytes = [...layers.values()].reduce((sum, each) => sum + each, 0);
      place.voice.moving(part, `pulling ${image}: ${(bytes / 1e6).toFixed(0)} MB`);
    });
  });
}

function within<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Docker gave no answer in ${limitMs / 1000} s`)), limitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
