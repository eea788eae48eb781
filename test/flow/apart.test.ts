import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { message, participant, user } from "../support/chat.ts";
import { eventually, type World, world } from "../support/world.ts";

/** A service in a process of its own, with the lines that it has logged. */
interface Apart {
  readonly name: string;
  readonly child: ChildProcess;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

const start = ({ environment }: World, name: string): Apart => {
  const main = fileURLToPath(new URL(`../../services/${name}/main.ts`, import.meta.url));
  const env = { ...process.env, ...environment, LOG_LEVEL: "info" };
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] });
  const lines: Readonly<Record<string, unknown>>[] = [];
  createInterface({ input: child.stdout }).on("line", (line) =>
    lines.push(JSON.parse(line) as Record<string, unknown>),
  );
  return { name, child, lines };
};

const addressOf = ({ lines }: Apart): string => {
  const listening = lines.find(({ message: said }) => said === "listening");
  const [address] = (listening?.["addresses"] ?? []) as readonly { readonly address: string; readonly port: number }[];
  if (address === undefined) throw new Error("not listening yet");
  return `http://${address.address}:${address.port}`;
};

const ended = ({ child }: Apart): Promise<number | null> =>
  child.exitCode === null ? new Promise((resolve) => child.once("exit", resolve)) : Promise.resolve(child.exitCode);

test("each service starts alone, reports its health, masks its secrets, works with the others, and stops when asked to", async () => {
  const chat = await world();
  const services = ["conversations", "inboxes", "mailer", "webhooks"].map((name) => start(chat, name));
  await eventually(async () => {
    for (const service of services) {
      const ready = await fetch(`${addressOf(service)}/health/ready`);
      expect([service.name, ready.status]).toEqual([service.name, 200]);
    }
  });
  const said = { occurredAt: Date.now() };
  await chat.publish(
    user("ada", "0:00", said),
    participant("c", "ada", "0:00", said),
    participant("c", "bob", "0:00", said),
  );
  await eventually(async () => {
    const [row] = await chat.database.query<{ members: number }>("select count(*) as members from state_conversations");
    expect(row?.members).toBe(1);
  });
  await chat.publish(message("c", "bob", "m1", "0:00", said));
  await eventually(() => expect(chat.mailbox.mails().map(({ to }) => to)).toEqual([["ada@example.org"]]));
  await eventually(() => expect(chat.receiver.summary().verified).toBe(2));

  const metrics = await Promise.all(
    services.map(async (service) => (await fetch(`${addressOf(service)}/metrics`)).text()),
  );
  expect(metrics[0]).toContain('whileaway_taken_total{processor="conversations",topic="messages"} 1');
  for (const { lines } of services) {
    const settings = JSON.stringify(lines.find(({ message: text }) => text === "starting")?.["settings"]);
    expect(settings).toContain("KAFKA_BROKERS");
    expect(settings).not.toContain(new URL(chat.environment["DATABASE_URL"] ?? "").password);
  }
  for (const { child } of services) child.kill("SIGTERM");
  expect(await Promise.all(services.map(ended))).toEqual([0, 0, 0, 0]);
});

test("a wrongly configured service reports every mistake, and exits with 2", async () => {
  const chat = await world({ KAFKA_BROKERS: "", HTTP_PORT: "eighty" });
  const main = fileURLToPath(new URL("../../services/conversations/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main], { env: { ...process.env, ...chat.environment }, stdio: "pipe" });
  let errors = "";
  child.stderr.on("data", (text) => (errors += String(text)));
  expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(2);
  expect(errors).toMatch(/KAFKA_BROKERS is not set.*\n.*HTTP_PORT is not a whole number/);
});

test.each([
  [
    "isn't at its schema",
    "delete from migrations where name = '0003_mailer'",
    "run `ops migrate` with this version first",
  ],
  [
    "is of a later version",
    "insert into migrations (name, run_on) values ('9999_later', now())",
    "9999_later, which this version does not know",
  ],
])("a service refuses a database that %s", async (_what, change, why) => {
  const chat = await world();
  await chat.database.query(change);
  const service = start(chat, "inboxes");
  expect(await ended(service)).toBe(1);
  expect(JSON.stringify(service.lines)).toContain(why);
});
