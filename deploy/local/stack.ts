import { mkdirSync, realpathSync } from "node:fs";
import { removeLeftContainers, removeOldVolumes, watchContainers } from "./container.ts";
import { findDocker } from "./docker.ts";
import { endLeftovers, holdFolder } from "./hold.ts";
import { startParts } from "./parts.ts";
import type { Place } from "./place.ts";
import { modeOf, plan, unnamed } from "./plan.ts";
import { tellMoves } from "./moves.ts";
import { ports } from "./ports.ts";
import { voice } from "./voice.ts";

/** Kafka, a schema registry and PostgreSQL, running. Disposing stops the parts started here, in reverse order. */
export interface Stack extends AsyncDisposable {
  /** `host:port[,…]` */
  readonly kafka: string;
  /** The base of the Confluent-compatible API, such as `http://127.0.0.1:8081/apis/ccompat/v7`. */
  readonly registry: string;
  /** `postgres://user:password@host:port/database` */
  readonly postgres: string;
}

/** Options of a stack. */
export interface StackOptions {
  /** Data, logs, ports and passwords; survives a restart, and serves one stack at a time. */
  readonly dataDir: string;
  /** Downloaded programs; any number of stacks may share it. */
  readonly cacheDir: string;
  readonly environment: Record<string, string | undefined>;
  /** Called with each line that stays. */
  readonly say: (line: string) => void;
  /** The data is throwaway, as in a test: nothing is synced to the disk. */
  readonly throwaway?: boolean;
}

/**
 * Starts the parts that the environment does not name: in Docker where an engine has the images, else as processes.
 * Throws LocalStackError when a program is missing or a part does not start; the parts started before are stopped by
 * then.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const place = placeOf(options);
  await using starting = new AsyncDisposableStack();
  starting.use(holdFolder(place.dataDir));
  await endLeftovers(place.dataDir, place.voice);
  const mode = modeOf(place.environment);
  const docker = await findDocker(place, mode, unnamed(place.environment));
  if (docker) {
    await removeLeftContainers(place, docker);
    await removeOldVolumes(place, docker);
    starting.use(watchContainers(docker));
  }
  const planned = plan(place.environment, mode, new Set(docker?.images.keys()));
  await tellMoves(place, planned);
  const addresses = await startParts(place, planned, docker, starting);
  const running = starting.move();
  return { ...addresses, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function placeOf(options: StackOptions): Place {
  for (const folder of [options.dataDir, options.cacheDir]) mkdirSync(folder, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  return {
    dataDir,
    cacheDir: realpathSync(options.cacheDir),
    environment: options.environment,
    ports: ports(dataDir, options.environment),
    voice: voice(options.say),
    throwaway: options.throwaway ?? false,
  };
}
