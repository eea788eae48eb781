import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startStack } from "../../deploy/local/stack.ts";
import type { Mutation } from "./mutation.ts";
import { mutations } from "./mutations.ts";

/**
 * `npm run mutations [-- WORDS]`: puts each fault into a copy of the repository and runs the test that guards against
 * it. Exits with 1 where a test passes with the fault, or fails without it. WORDS select mutations by their names.
 */
const HERE = fileURLToPath(new URL("../..", import.meta.url));
/** Milliseconds for one test file. A test that hangs counts as no failure. */
const PATIENCE = 600_000;

/** Copies the working tree, as it is now, into a folder of its own. */
const copy = (): string => {
  const to = mkdtempSync(join(tmpdir(), "whileaway-mutants-"));
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: HERE, encoding: "utf8" });
  for (const file of files.split("\n").filter((name) => name !== "" && name !== "node_modules")) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(HERE, file), join(to, file));
  }
  symlinkSync(realpathSync(join(HERE, "node_modules")), join(to, "node_modules"));
  return to;
};

/** The number of tests that passed and failed; zero each where the run itself failed. */
const outcome = (
  folder: string,
  { test, only }: Mutation,
  environment: NodeJS.ProcessEnv,
): { readonly passed: number; readonly failed: number } => {
  const vitest = join(folder, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", test, ...(only === "" ? [] : ["-t", only])];
  const options = { cwd: folder, env: environment, encoding: "utf8", timeout: PATIENCE, maxBuffer: 2 ** 28 } as const;
  const { stdout } = spawnSync(process.execPath, args, options);
  const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed/m.exec(stdout) ?? [];
  return { passed: Number(passed), failed: Number(failed) };
};

const words = process.argv.slice(2);
const chosen = mutations.filter(({ what }) => words.every((word) => what.includes(word)));
const dataDir = mkdtempSync(join(tmpdir(), "whileaway-mutate-"));
const cacheDir =
  process.env["CACHE_DIR"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "whileaway");
const stack = await startStack({ dataDir, cacheDir, environment: process.env, say: () => undefined, throwaway: true });
const folder = copy();
const addresses = { KAFKA_BROKERS: stack.kafka, SCHEMA_REGISTRY_URL: stack.registry, DATABASE_URL: stack.postgres };
const environment = { ...process.env, ...addresses, SEED: process.env["SEED"] ?? "1" };
const survivors: string[] = [];
for (const mutation of chosen) {
  const { what, file, from, to, test, only } = mutation;
  const path = join(folder, file);
  const good = readFileSync(path, "utf8");
  if (good.split(from).length !== 2)
    throw new Error(
      `${what}: the text to replace must occur once in ${file}; mend test/faults/mutations.ts or engine-mutations.ts`,
    );
  const before = outcome(folder, mutation, environment);
  writeFileSync(
    path,
    good.replace(from, () => to),
  );
  const { failed } = outcome(folder, mutation, environment);
  writeFileSync(path, good);
  const isSound = before.passed > 0 && before.failed === 0;
  const isCaught = isSound && failed > 0;
  if (!isCaught) survivors.push(what);
  console.log(
    `${isCaught ? "caught  " : isSound ? "SURVIVES" : "UNSOUND "} ${what} (${file}): ${test}${only === "" ? "" : ` -t "${only}"`}`,
  );
}
rmSync(folder, { recursive: true });
await stack[Symbol.asyncDispose]();
rmSync(dataDir, { recursive: true, force: true });
console.log(`${chosen.length - survivors.length} caught, ${survivors.length} survive`);
process.exitCode = survivors.length > 0 ? 1 : 0;
