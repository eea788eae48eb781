import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ports, withPort } from "./ports.ts";
import { scratch } from "./scratch.ts";

async function take(port: number): Promise<Server & AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return Object.assign(server, {
    [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())),
  });
}

test("a port is remembered for the next start", async () => {
  const dataDir = await scratch();
  const first = await ports(dataDir, {}).choose("kafka");
  expect(await ports(dataDir, {}).choose("kafka")).toBe(first);
});

test("a remembered port that is taken gives way to another", async () => {
  const dataDir = await scratch();
  const first = await ports(dataDir, {}).choose("kafka");
  await using _ = await take(first);
  expect(await ports(dataDir, {}).choose("kafka")).not.toBe(first);
});

test("two ports asked for at once differ and are both remembered", async () => {
  const dataDir = await scratch();
  const chosen = ports(dataDir, {});
  const both = await Promise.all([chosen.choose("kafka"), chosen.choose("postgres")]);
  expect(new Set(both).size).toBe(2);
  const again = ports(dataDir, {});
  expect([await again.choose("kafka"), await again.choose("postgres")]).toEqual(both);
});

test("a torn file of ports counts as empty", async () => {
  const dataDir = await scratch();
  await writeFile(join(dataDir, "ports.json"), '{"kafka":');
  expect(await ports(dataDir, {}).choose("kafka")).toBeGreaterThan(0);
});

test("the environment's port goes before the remembered one", async () => {
  const dataDir = await scratch();
  const other = await ports(await scratch(), {}).choose("kafka");
  await ports(dataDir, {}).choose("postgres");
  expect(await ports(dataDir, { POSTGRES_PORT: String(other) }).choose("postgres")).toBe(other);
});

test("the environment's port must be one, and free", async () => {
  const dataDir = await scratch();
  await expect(ports(dataDir, { KAFKA_PORT: "tcp://10.0.0.1:9092" }).choose("kafka")).rejects.toThrow(/no port/);
  const port = await ports(dataDir, {}).choose("kafka");
  await using _ = await take(port);
  await expect(ports(dataDir, { KAFKA_PORT: String(port) }).choose("kafka")).rejects.toThrow(/is taken/);
});

test("a port lost between the check and the bind is replaced", async () => {
  const tried: number[] = [];
  await using thieves = new AsyncDisposableStack();
  const won = await withPort(ports(await scratch(), {}), "kafka", async (port) => {
    tried.push(port);
    if (tried.length > 1) return port;
    thieves.use(await take(port));
    throw new Error("address in use");
  });
  expect(tried).toHaveLength(2);
  expect(won).not.toBe(tried[0]);
});

test("a failure that is not the port's is not tried again", async () => {
  let tries = 0;
  const failing = withPort(ports(await scratch(), {}), "kafka", async () => {
    tries++;
    throw new Error("no heap");
  });
  await expect(failing).rejects.toThrow("no heap");
  expect(tries).toBe(1);
});
