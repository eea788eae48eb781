import { spawn } from "node:child_process";
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freshLog, tailOf } from "./child.ts";
import type { Docker } from "./docker.ts";
import { ignoreGone, removeContainers, STOP_S } from "./docker-remove.ts";
import { LocalStackError } from "./errors.ts";
import type { Place } from "./place.ts";
import { PARTS, type Part } from "./plan.ts";
import { until } from "./ready.ts";
import { nameOf } from "./unprivileged.ts";

/** Label with the owner of a container: the name of a data folder. */
const LABEL = "whileaway.local-stack";
/** Label with the run of a container, so that a late watchdog of the run before leaves it alone. */
const RUN_LABEL = "whileaway.local-stack.run";
const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1"]);

/** A container to run, with one port of it published on the host. */
export interface Box {
  readonly name: Part;
  readonly image: string;
  readonly environment: Record<string, string>;
  readonly command?: readonly string[];
  readonly port: { readonly inside: number; readonly host: number };
  /** Path of its data inside the container. It is in a volume that survives the container. */
  readonly data?: string;
}

/** A container that runs. Disposing asks it to end, forces it after 20 s, and removes it but not its volume. */
export interface Container extends AsyncDisposable {
  /** Its address for other containers. */
  readonly ip: string;
  readonly log: string;
}

/** The host of published ports: 127.0.0.1 unless the engine is on another machine. */
export function hostOf({ client }: Docker): string {
  const { host } = client.info.containerRuntime;
  return LOOPBACK.has(host) ? "127.0.0.1" : host;
}

/** The volume that keeps a part's data; none for throwaway data. */
export function volumeOf(place: Place, name: Part): string | undefined {
  return place.throwaway ? undefined : `whileaway-${nameOf(place.dataDir)}-${name}`;
}

/** Removes the volumes of a deleted data folder that this new one replaces. */
export async function removeOldVolumes(place: Place, { client }: Docker): Promise<void> {
  const mark = join(place.dataDir, "volumes.json");
  if (place.throwaway || existsSync(mark)) return;
  const names = PARTS.flatMap((part) => volumeOf(place, part) ?? []);
  for (const name of names) await client.container.dockerode.getVolume(name).remove().catch(ignoreGone);
  writeFileSync(mark, JSON.stringify(names));
}

/** Stops and removes the containers that an earlier run of this data folder left behind or is stopping. */
export async function removeLeftContainers(place: Place, { client }: Docker): Promise<void> {
  const removed = await removeContainers(client, `${LABEL}=${nameOf(place.dataDir)}`);
  if (removed > 0) place.voice.say(`docker: removed ${removed} containers that the run before left`);
}

/** Makes sure that this run's containers do not outlive this process, whatever ends it. Disposing calls that off. */
export function watchContainers({ run }: Docker): Disposable {
  const watchdog = join(import.meta.dirname, "docker-watchdog.ts");
  const process_ = spawn(process.execPath, [watchdog, `${RUN_LABEL}=${run}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C is for us
  });
  process_.on("error", () => undefined);
  process_.stdin.on("error", () => undefined);
  return { [Symbol.dispose]: () => void process_.stdin.end("done") };
}

/**
 * Starts a container and waits until `ready`; its output is in `logs/NAME.log`. Throws LocalStackError with the end of
 * the log when the container ends first or takes too long. Testcontainers' GenericContainer will not do: it publishes
 * ports on every address of the machine, and this Kafka has no authentication.
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
  starting.defer(() => created.remove({ force: true, v: true }).catch(ignoreGone));
  await created.start();
  starting.defer(() => created.stop({ t: STOP_S }).catch(ignoreGone));
  const log = freshLog(place.dataDir, box.name);
  const output = await client.container.logs(created);
  output.on("data", (chunk: Buffer) => appendFileSync(log, chunk));
  starting.defer(async () => void output.destroy());
  const runs = async () => (await created.inspect()).State.Running;
  const up = await until(async () => !(await runs()) || (await ready(log)), limitMs);
  if (!(await runs())) throw new LocalStackError(`${box.name} ended while starting\n${tailOf(log)}`);
  if (!up) throw new LocalStackError(`${box.name} was not ready after ${limitMs / 1000} s\n${tailOf(log)}`);
  // Its only network: 'bridge' with Docker, 'podman' with Podman.
  const ip = Object.values((await created.inspect()).NetworkSettings.Networks)[0]?.IPAddress ?? "";
  const running = starting.move();
  return { ip, log, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function request(place: Place, docker: Docker, box: Box) {
  const volume = box.data && volumeOf(place, box.name);
  const inside = `${box.port.inside}/tcp`;
  const HostIp = hostOf(docker) === "127.0.0.1" ? "127.0.0.1" : "";
  return {
    name: `whileaway-${nameOf(place.dataDir)}-${box.name}`,
    Image: box.image,
    Env: Object.entries(box.environment).map(([name, value]) => `${name}=${value}`),
    ...(box.command ? { Cmd: [...box.command] } : {}),
    Labels: { [LABEL]: nameOf(place.dataDir), [RUN_LABEL]: docker.run },
    ExposedPorts: { [inside]: {} },
    HostConfig: {
      PortBindings: { [inside]: [{ HostIp, HostPort: String(box.port.host) }] },
      ...(volume ? { Binds: [`${volume}:${box.data}`] } : {}),
    },
  };
}
