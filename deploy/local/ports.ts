import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { LocalStackError } from "./errors.ts";

const ATTEMPTS = 4;

const VARIABLES = new Map([
  ["kafka", "KAFKA_PORT"],
  ["registry", "SCHEMA_REGISTRY_PORT"],
  ["postgres", "POSTGRES_PORT"],
]);

/** The ports of one stack: set by the environment, else those of the last start, else free ones that are remembered. */
export interface Ports {
  /** The port of a name. Throws LocalStackError when the environment's port is taken or invalid. */
  choose(name: string): Promise<number>;
}

/** Ports remembered in a file of the data folder. */
export function ports(dataDir: string, environment: Record<string, string | undefined>): Ports {
  const file = join(dataDir, "ports.json");
  const given = new Set<number>();
  let last: Promise<unknown> = Promise.resolve();
  const choose = async (name: string): Promise<number> => {
    const set = configured(name, environment);
    if (set !== undefined) {
      if (!(await isFree(set))) throw new LocalStackError(`${VARIABLES.get(name)}=${set}: port ${set} is taken`);
      return set;
    }
    const remembered = await read(file);
    const before = remembered[name];
    // A port given out before and asked for again has just been lost to a stranger between the check and the bind.
    if (before !== undefined && !given.has(before) && (await isFree(before))) {
      given.add(before);
      return before;
    }
    const port = await freePort(given);
    given.add(port);
    await write(file, { ...remembered, [name]: port });
    return port;
  };
  // One at a time: two at once would overwrite each other's line of the file.
  return {
    choose: (name) => {
      const chosen = last.then(() => choose(name));
      last = chosen.catch(() => undefined);
      return chosen;
    },
  };
}

/** Tries `start` with a port, and again with another while it fails because the port was taken first. */
export async function withPort<T>(chosen: Ports, name: string, start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const port = await chosen.choose(name);
    try {
      return await start(port);
    } catch (error) {
      if (attempt === ATTEMPTS || (await isFree(port))) throw error;
    }
  }
}

/** Tells whether a process may listen on that port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function configured(name: string, environment: Record<string, string | undefined>): number | undefined {
  const variable = VARIABLES.get(name);
  const value = variable && environment[variable];
  if (!value) return undefined;
  const port = Number(value);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new LocalStackError(`${variable}=${value} is no port (1 to 65535)`);
}

function freePort(except: ReadonlySet<number>): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(except.has(port) ? freePort(except) : port));
    });
  });
}

async function read(file: string): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Record<string, number>;
  } catch {
    return {}; // none yet, or torn by a crash: then new ones
  }
}

async function write(file: string, content: Record<string, number>): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(content));
  await rename(`${file}.new`, file);
}
