import { chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildOnce } from "./build.ts";
import { type Child, guard, run, startChild, untilReady } from "./child.ts";
import { answers, createDatabase } from "./database.ts";
import { LocalStackError } from "./errors.ts";
import { commandOf } from "./identity.ts";
import { upIn, type Place, type Started } from "./place.ts";
import { withPort } from "./ports.ts";
import { postgresFiles, type PostgresFiles } from "./postgres-files.ts";
import { hasPassword, keptPassword, NAME, postgresSettings } from "./postgres-settings.ts";
import { nameOf, reachableFolder, reaches, unprivilegedUser, type User } from "./unprivileged.ts";

const READY_MS = 300_000;
/** Only for a process: a container listens on its own addresses. */
const WHERE = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "", // a socket's path may have 107 bytes, and a clone's is often longer
};

/** PostgreSQL from npm's files as a process of ours; its URL names a superuser of this server only. */
export async function startPostgres(place: Place): Promise<Started> {
  const { base, user } = await whereData(place);
  // Data outside, of a deleted folder that this new one replaces.
  if (!base.startsWith(place.dataDir) && !hasPassword(place.dataDir)) await rm(base, { recursive: true, force: true });
  const password = await keptPassword(place.dataDir);
  const files = await postgresFiles(user, place.voice);
  await buildOnce(base, (temporary) => initialise(place, files, user, temporary, password));
  const data = join(base, "data");
  await sameMajor(data, files);
  await dropStrangersLock(data);
  return withPort(place.ports, "postgres", async (port) => {
    const began = performance.now();
    await using started = new AsyncDisposableStack();
    // Data outside of the data folder would never be deleted.
    if (place.throwaway && !base.startsWith(place.dataDir)) started.defer(() => rm(dirname(base), { recursive: true }));
    const child = started.use(startChild(place.dataDir, server(place, files, user, data, port)));
    const url = (database: string) => `postgres://${NAME}:${password}@127.0.0.1:${port}/${database}`;
    await untilReady(child, () => ready(child, url("postgres")), READY_MS);
    await createDatabase(url("postgres"), NAME);
    started.use(guard(child, place.voice));
    const who = user ? ` as ${user.name}` : "";
    place.voice.say(
      `postgres: PostgreSQL ${files.version} at 127.0.0.1:${port}, process ${child.pid}${who}, data in ${data}, ${upIn(began)}`,
    );
    return { address: url(NAME), stop: started.move() };
  });
}

// The log first: a stranger on the port would answer as well, if only with a refusal.
async function ready(child: Child, url: string): Promise<boolean> {
  return /ready to accept (read-only )?connections/.test(child.output()) && (await answers(url));
}

function server(place: Place, files: PostgresFiles, user: User | undefined, data: string, port: number) {
  const settings = { ...postgresSettings(place.throwaway), ...WHERE, port: String(port) };
  return {
    name: "postgres",
    command: join(files.folder, "bin/postgres"),
    args: ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    cwd: data,
    environment: environment(),
    stop: "SIGINT" as const, // its fast shutdown: open connections are cut, all is written
    user,
  };
}

function environment(): Record<string, string> {
  return { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

async function initialise(
  place: Place,
  files: PostgresFiles,
  user: User | undefined,
  temporary: string,
  password: string,
): Promise<void> {
  const passwordFile = join(temporary, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  const data = join(temporary, "data");
  await mkdir(data, { mode: 0o700 });
  if (user) for (const path of [temporary, passwordFile, data]) await chown(path, user.uid, user.gid);
  const args = [`--pgdata=${data}`, `--username=${NAME}`, `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
  // PostgreSQL's built-in provider sorts and folds alike on every machine, whatever its locales.
  args.push("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8");
  if (place.throwaway) args.push("--no-sync");
  const command = join(files.folder, "bin/initdb");
  await run(place.dataDir, {
    name: "initdb",
    command,
    args,
    cwd: temporary,
    environment: environment(),
    stop: "SIGTERM",
    user,
  });
  await rm(passwordFile);
}

async function whereData(place: Place): Promise<{ base: string; user: User | undefined }> {
  const here = join(place.dataDir, "postgres");
  const user = await unprivilegedUser(join(here, "data"));
  if (reaches(user, place.dataDir)) return { base: here, user };
  const there = join(await reachableFolder(nameOf(place.dataDir)), "postgres");
  place.voice.say(`postgres: its data is in ${there}, for the user ${user?.name} cannot enter ${place.dataDir}`);
  return { base: there, user: await unprivilegedUser(join(there, "data")) };
}

async function sameMajor(data: string, files: PostgresFiles): Promise<void> {
  const made = (await readFile(join(data, "PG_VERSION"), "utf8")).trim();
  if (made === files.version.split(".")[0]) return;
  throw new LocalStackError(
    `${data} was made by PostgreSQL ${made}, and the one installed is ${files.version}: delete ${dirname(data)} to begin anew`,
  );
}

// After a crash the file may name a pid that a stranger has by now, as in a container, where the same pids come again;
// PostgreSQL would refuse to start. We hold the folder, and children of ours were ended: only a postgres is believed.
async function dropStrangersLock(data: string): Promise<void> {
  const file = join(data, "postmaster.pid");
  const pid = parseInt(await readFile(file, "utf8").catch(() => ""), 10);
  if (pid > 0 && !/postgres/.test(commandOf(pid) ?? "")) await rm(file, { force: true });
}
