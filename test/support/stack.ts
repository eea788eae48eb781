import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startStack } from "../../deploy/local/stack.ts";
import { migrate } from "../../services/platform/adapters/postgres/migrations.ts";
import { openDatabase } from "../../services/platform/adapters/postgres/database.ts";

declare module "vitest" {
  export interface ProvidedContext {
    readonly kafka: string;
    readonly registry: string;
    /** A server on which each test file makes databases of its own from the template. */
    readonly postgres: string;
    /** A folder for Node's compile cache: tests start the same services again and again. */
    readonly compiled: string;
  }
}

/** A migrated database that is only ever copied. */
export const TEMPLATE = "whileaway_template";

/** The folder of downloaded programs. */
export const CACHE =
  process.env["CACHE_DIR"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "whileaway");

/**
 * Starts Kafka, the registry and PostgreSQL once for a run of all tests. A server that the environment names is used
 * instead. Tests get a temporary folder of their own, and the run fails if they leave files there.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), "whileaway-test-"));
  const say = (line: string): void => console.log(line);
  const stack = await startStack({ dataDir, cacheDir: CACHE, environment: process.env, say, throwaway: true });
  await makeTemplate(stack.postgres);
  project.provide("kafka", stack.kafka);
  project.provide("registry", stack.registry);
  project.provide("postgres", stack.postgres);
  project.provide("compiled", join(dataDir, "compiled"));
  const temporary = mkdtempSync(join(tmpdir(), "whileaway-tmp-"));
  chmodSync(temporary, 0o1777); // a server of the tests may run as another user
  process.env["TMPDIR"] = temporary;
  return async () => {
    await stack[Symbol.asyncDispose]();
    const left = readdirSync(temporary);
    for (const folder of [dataDir, temporary]) rmSync(folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`tests left ${left.join(", ")} in the folder of temporary files`);
  };
}

const makeTemplate = async (server: string): Promise<void> => {
  await using admin = openDatabase(server, "tests");
  await admin.query(`drop database if exists ${TEMPLATE}`);
  await admin.query(`create database ${TEMPLATE}`);
  const address = new URL(server);
  address.pathname = `/${TEMPLATE}`;
  await migrate(address.href);
};
