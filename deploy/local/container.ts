import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freshLog, tailOf } from "./child.ts";
import type { Docker } from "./docker.ts";
import { LocalStackError } from "./errors.ts";
import type { Place } from "./place.ts";
import { PARTS, type Part } from "./plan.ts";
import { until } from "./ready.ts";
import { nameOf } from "./unprivileged.ts";

const STOP_S = 20;
/** Says whose a container is: the name of a data folder. */
const LABEL = "whileaway.local-stack";
/** What Ryuk, the reaper of testcontainers, goes by. Not imported: loading testcontainers takes more than a second. */
const SESSION_LABEL = "org.testcontainers.session-id";
const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1"]);

/** A container to run, with one port of it published on the host. */
export interface Box {
  readonly name: Part;
  readonly image: string;
  readonly environment: Record<string, string>;
  readonly command?: readonly string[];
  readonly port: { readonly inside: number; readonly host: number };
  /** Where its data is inside; it goes into a volume that survives the container. */
  readonly data?: string;
}

/** A container that runs; disposing asks it to end, forces it after 20 s, and removes it but not its volume. */
export interface Container extends AsyncDisposable {
  /** Its address for other containers. */
  readonly ip: string;
  readonly log: string;
}

/** Where published ports are reached: 127.0.0.1 unless the engine is elsewhere. */
export function hostOf({ client }: Docker): string {
  const { host } = client.info.containerRuntime;
  return LOOPBACK.has(host) ? "127.0.0.1" : host;
}

/** The volume that keeps a part's data; none for data that will not be missed. */
export function volumeOf(place: Place, name: Part): string | undefined {
  return place.throwaway ? undefined : `whileaway-${nameOf(place.dataDir)}-${name}`;
}

/** Removes the volumes of a data folder that is gone, in whose place this new one stands. */
export async function removeOldVolumes(place: Place, { client }: Docker): Promise<void> {
  const mark = join(place.dataDir, "volumes.json");
  if (place.throwaway || existsSync(mark)) return;
  const names = PARTS.flatMap((part) => volumeOf(place, part) ?? []);
  for (const name of names) await client.container.dockerode.getVolume(name).remove().catch(noSuchVolume);
  writeFileSync(mark, JSON.stringify(names));
}

/** Removes what an earlier run of this data folder left behind: one killed without a word, on an engine without Ryuk. */
export async function removeLeftContainers(place: Place, { client }: Docker): Promise<void> {
  const { dockerode } = client.container;
  const filters = { label: [`${LABEL}=${nameOf(place.dataDir)}`] };
  for (const { Id, Names } of await dockerode.listContainers({ all: true, filters })) {
    place.voice.say(`docker: removing ${Names[0] ?? Id}, which the run before left`);
    await dockerode.getContainer(Id).remove({ force: true, v: true });
  }
}

/**
 * Starts a container and waits until `ready`; its output is in `logs/NAME.log`. Throws LocalStackError with the end of
 * that when it ends first or takes too long. Not by testcontainers' GenericContainer: that publishes ports on every
 * address of the machine, and this Kafka asks nobody who they are.
 */
export async function startContainer(
  place: Place,
  docker: Docker,
  box: Box,
  ready: (log: string) => Promise<boolean>,
  limitMs: number,
): Promise<Container> {
  const { client } = docker;
  await using starting = new AsyncDisposableStack();
  const created = await client.container.dockerode.createContainer(request(place, docker, box));
  starting.defer(() => created.remove({ force: true, v: true }).then(() => undefined));
  await created.start();
  starting.defer(() => stop(created));
  const log = freshLog(place.dataDir, box.name);
  const output = await client.container.logs(created);
  output.on("data", (chunk: Buffer) => appendFileSync(log, chunk));
  starting.defer(async () => void output.destroy());
  const runs = async () => (await created.inspect()).State.Running;
  const up = await until(async () => !(await runs()) || (await ready(log)), limitMs);
  if (!(await runs())) throw new LocalStackError(`${box.name} ended while starting\n${tailOf(log)}`);
  if (!up) throw new LocalStackError(`${box.name} was not ready after ${limitMs / 1000} s\n${tailOf(log)}`);
  const ip = (await created.inspect()).NetworkSettings.Networks["bridge"]?.IPAddress ?? "";
  const running = starting.move();
  return { ip, log, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function noSuchVolume(error: unknown): void {
  if ((error as { statusCode?: number }).statusCode !== 404) throw error;
}

async function stop(container: { stop(options: { t: number }): Promise<unknown> }): Promise<void> {
  // Ended by itself or removed by somebody: as good as stopped.
  await container.stop({ t: STOP_S }).catch(() => undefined);
}

function request(place: Place, docker: Docker, box: Box) {
  const { session } = docker;
  const volume = box.data && volumeOf(place, box.name);
  const inside = `${box.port.inside}/tcp`;
  const HostIp = hostOf(docker) === "127.0.0.1" ? "127.0.0.1" : "";
  return {
    name: `whileaway-${nameOf(place.dataDir)}-${box.name}`,
    Image: box.image,
    Env: Object.entries(box.environment).map(([name, value]) => `${name}=${value}`),
    ...(box.command ? { Cmd: [...box.command] } : {}),
    Labels: { [LABEL]: nameOf(place.dataDir), ...(session ? { [SESSION_LABEL]: session } : {}) },
    ExposedPorts: { [inside]: {} },
    HostConfig: {
      PortBindings: { [inside]: [{ HostIp, HostPort: String(box.port.host) }] },
      ...(volume ? { Binds: [`${volume}:${box.data}`] } : {}),
    },
  };
}
