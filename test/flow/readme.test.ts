import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { topics } from "../../services/domain/topics.ts";
import { databaseAddress, testLog } from "../support/world.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");
const ops = fileURLToPath(new URL("../../services/ops/main.ts", import.meta.url));
const run = promisify(execFile);

/** The commands in the README after `npm run -s ops --`. */
const commands = [...readme.matchAll(/^ {4}npm run -s ops -- (.+?)(?: +#.*)?$/gm)].map(([, command = ""]) => command);

test.each(commands)("the README's command exists: ops %s", async (command) => {
  const [name = "", second = ""] = command.split(" ");
  const sub = ["endpoints", "settings"].includes(name) ? [second] : [];
  const { stdout } = await run(process.execPath, [ops, name, ...sub, "--help"]);
  expect(stdout).toContain(`Usage: ops ${name}`);
  for (const option of command.match(/--\w+/g) ?? []) expect(stdout).toContain(option);
});

test("the README's commands to set up and register run, and can run again", async () => {
  const { prefix } = await testLog();
  const env = {
    ...process.env,
    KAFKA_BROKERS: inject("kafka"),
    SCHEMA_REGISTRY_URL: inject("registry"),
    DATABASE_URL: await databaseAddress(),
    TOPIC_PREFIX: `${prefix}again.`,
    WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8",
  };
  const said = async (...command: readonly string[]): Promise<string> =>
    (await run(process.execPath, [ops, ...command], { env })).stdout;
  expect((await said("topics", "--partitions", "1")).match(/^created /gm)).toHaveLength(Object.keys(topics).length);
  expect(await said("topics")).toBe("every topic is there, as declared\n");
  expect(await said("migrate")).toBe("nothing to do\n");
  expect(await said("settings", "set", "default", "timeout=120")).toMatch(/^timeout +120$/m);
  expect(await said("why", "--user", "ada")).toMatch(/^nothing is on record for the user ada: /);
  expect(await said("endpoints", "add", "http://127.0.0.1:9000/hook")).toMatch(/secret {2}whsec_\S+/);
});

test("every file that the README points to exists", () => {
  const links = [...readme.matchAll(/\]\((?!http)([^)#]+)\)/g)].map(([, path = ""]) => path);
  const tests = [...readme.matchAll(/`(test\/[\w./-]+\.test\.ts)`/g)].map(([, path = ""]) => path);
  const rooms = [...readme.matchAll(/^\| `(services\/\w+)`/gm)].map(([, path = ""]) => path);
  for (const path of [...links, ...tests, ...rooms]) expect(existsSync(root + path), path).toBe(true);
  expect([links.length, tests.length, rooms.length].every((count) => count > 2)).toBe(true);
});
