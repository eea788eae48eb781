import { product } from "../../services/domain/topics.ts";
import { randomUUID } from "node:crypto";
import { expect, inject, test } from "vitest";
import { defaultSettings } from "../../services/domain/role-settings.ts";
import { settingsCommand } from "../../services/ops/settings/settings.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import { type TestLog, testLog } from "../support/world.ts";

/** Runs commands one after the other; `said` has the lines printed. */
const commands = ({ log, codec }: TestLog, now: () => number = Date.now) => {
  const said: string[] = [];
  let closed = 0;
  const ops = async (...args: readonly string[]): Promise<string> => {
    const from = said.length;
    await settingsCommand(
      async () => ({ log, codec, close: async () => void closed++ }),
      (line) => said.push(line),
      now,
    )
      .exitOverride()
      .configureOutput({ writeErr: (text) => said.push(text) })
      .parseAsync(args, { from: "user" });
    return said.slice(from).join("\n");
  };
  return { ops, closed: () => closed };
};

const json = (text: string): unknown => JSON.parse(text);
const recordsOf = async ({ log }: TestLog): Promise<number> => {
  const count = await log.partitions("settings");
  const extents = await log.offsets(
    Array.from({ length: count }, (_, partition) => ({ topic: "settings", partition })),
  );
  return extents.reduce((sum, { low, high }) => sum + high - low, 0);
};

test("a role's settings are changed field by field, listed, and taken back", { timeout: 60_000 }, async () => {
  const logs = await testLog();
  const { ops, closed } = commands(logs);
  expect(json(await ops("list", "--json"))).toEqual([
    { ...defaultSettings, role: "default", from: "built in", version: null, since: null },
  ]);
  await ops("set", "default", "timeout=120", "quietHours=22:00-07:00@Europe/Berlin");
  await ops("set", "admin", "dailyCap=3");
  expect(json(await ops("set", "admin", "cooldown.first=600", "--json"))).toMatchObject({
    role: "admin",
    from: "role",
    version: 2,
    timeout: 120,
    dailyCap: 3,
    cooldown: { ...defaultSettings.cooldown, first: 600 },
    quietHours: { from: "22:00", to: "07:00", timezone: "Europe/Berlin" },
  });
  const [names, admin, all] = (await ops("list")).split("\n").map((line) => line.split(/ {2,}/));
  expect(names?.slice(0, 4)).toEqual(["role", "timeout", "settle", "cooldown.first"]);
  expect(admin?.slice(0, 4)).toEqual(["admin", "120", "10", "600"]);
  expect(all).toContain("22:00-07:00@Europe/Berlin");

  await ops("reset", "admin");
  expect(await ops("get", "admin")).toMatch(/^timeout +120\n[^]*^of +default$/m);
  await expect(ops("reset", "admin")).rejects.toThrow("the role admin has no settings of its own");
  expect(json(await ops("set", "admin", "timeout=1", "--json"))).toMatchObject({
    version: 3,
    timeout: 1,
    dailyCap: null,
  });
  expect(closed()).toBe(9);
});

test(
  "a wrong setting is refused by its name, with an exit code, and nothing is published",
  { timeout: 60_000 },
  async () => {
    const logs = await testLog();
    const { ops } = commands(logs);
    await expect(ops("set", "default", "timeout=901")).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/timeout: .*900/) as string,
    });
    await expect(ops("set", "default", "colour=red")).rejects.toThrow(/what can be set is timeout=seconds, settle=/);
    await expect(ops("set", "", "timeout=1")).rejects.toThrow("the role is empty");
    expect(await recordsOf(logs)).toBe(0);
  },
);

test("a change holds even if it is made where the clock is behind", { timeout: 60_000 }, async () => {
  const logs = await testLog();
  await commands(logs).ops("set", "default", "timeout=1");
  const behind = commands(logs, () => Date.now() - 60_000);
  await behind.ops("set", "default", "timeout=2");
  expect(json(await behind.ops("get", "default", "--json"))).toMatchObject({ timeout: 2, version: 2 });
  await behind.ops("reset", "default");
  expect(json(await behind.ops("get", "default", "--json"))).toMatchObject({ timeout: 300, from: "built in" });
});

test("invalid records are skipped, as services do", { timeout: 60_000 }, async () => {
  const logs = await testLog();
  const { ops } = commands(logs);
  await ops("set", "default", "timeout=5");
  await logs.log.publish([{ topic: "settings", key: "default", value: new Uint8Array([1, 2, 3]) }]);
  await logs.publish({
    topic: "settings",
    key: "default",
    value: { ...defaultSettings, timeout: 5_000, role: "default", version: 9, occurredAt: Date.now() },
  });
  expect(json(await ops("get", "default", "--json"))).toMatchObject({ timeout: 5, version: 1 });
});

test("every revision stays on the log for a year", async () => {
  const prefix = (await testLog()).prefix;
  await using kafka = openKafka(product, {
    brokers: inject("kafka").split(","),
    clientId: randomUUID(),
    prefix,
    tls: false,
  });
  const described = await kafka.describe();
  for (const topic of ["settings", "preferences"] as const)
    expect(described.get(topic)?.config).toMatchObject({
      "cleanup.policy": "compact",
      "min.compaction.lag.ms": String(365 * 24 * 3_600_000),
    });
});
