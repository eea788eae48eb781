import { DEFAULT_PARTITIONS, product } from "../domain/topics.ts";
import { Command, InvalidArgumentError } from "commander";
import { Fatal, messageOf } from "../platform/contract/failure.ts";
import { parse } from "../platform/app/config.ts";
import { openKafka } from "../platform/adapters/kafka/log.ts";
import { migrate } from "../platform/adapters/postgres/migrations.ts";
import { openDatabase } from "../platform/adapters/postgres/database.ts";
import { openRegistry } from "../platform/adapters/registry/registry.ts";
import { kafkaSettings } from "../platform/app/serve.ts";
import { ensureTopics } from "../platform/app/ensure-topics.ts";
import { variables as webhookVariables } from "../webhooks/config.ts";
import { deadCommand } from "./dead-letters/dead.ts";
import { decideCommand } from "./decide/decide.ts";
import { endpointsCommand } from "./endpoints.ts";
import { rebuildCommand } from "./rebuild/command.ts";
import { reference } from "./reference.ts";
import { replayTrace } from "./trace/replay-trace.ts";
import { environment, openCommandDeps, settings } from "./open-command-deps.ts";
import { settingsCommand } from "./settings/settings.ts";
import { dataDir, runningStack } from "./stack.ts";
import { whatifCommand } from "./whatif/whatif.ts";
import { whyCommand } from "./why/why.ts";

const whole = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("not a whole number from 1 up");
  return number;
};

const positive = (text: string): number => {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError("not a number above 0");
  return number;
};

const ops = new Command("ops").description("Whileaway's command line");

ops
  .command("stack")
  .description("prints the addresses of the local stack that runs here, as JSON")
  .action(() => {
    const running = runningStack(dataDir(process.env));
    if (running === null) throw new Fatal("no local stack runs here: start one with `npm start`");
    console.log(JSON.stringify(running.addresses, null, 2));
  });

ops
  .command("topics")
  .description("creates the topics that are missing, registers the schemas, compares the rest and changes none of it")
  .option("--partitions <n>", "partitions of topics that are created", whole, DEFAULT_PARTITIONS)
  .option("--replication <n>", "replicas of topics that are created", whole, 1)
  .action(async ({ partitions, replication }: { partitions: number; replication: number }) => {
    const { TOPIC_PREFIX, SCHEMA_REGISTRY_URL } = settings();
    await using kafka = openKafka(product, kafkaSettings(settings(), "whileaway-ops"));
    const registry = openRegistry(SCHEMA_REGISTRY_URL);
    const { created, differing } = await ensureTopics(product, kafka, registry, TOPIC_PREFIX, partitions, replication);
    for (const line of created) console.log(`created  ${line}`);
    for (const line of differing) console.log(`differs  ${line}`);
    if (created.length + differing.length === 0) console.log("every topic is there, as declared");
  });

ops
  .command("migrate")
  .description("brings the database to this version's schema")
  .action(async () => {
    const ran = await migrate(settings().DATABASE_URL);
    console.log(ran.length === 0 ? "nothing to do" : ran.map((name) => `ran  ${name}`).join("\n"));
  });

ops.addCommand(
  endpointsCommand(() =>
    Promise.resolve({
      database: openDatabase(settings().DATABASE_URL, "whileaway ops"),
      settings: parse(webhookVariables, environment),
    }),
  ),
);

ops.addCommand(settingsCommand(openCommandDeps));
ops.addCommand(whyCommand(openCommandDeps));
ops.addCommand(deadCommand(openCommandDeps));

ops.addCommand(decideCommand());
ops.addCommand(whatifCommand());
ops.addCommand(rebuildCommand(settings));

ops
  .command("replay-trace")
  .description("plays a recorded chat's timing (a .csv.gz, columns in its README) through the topics")
  .argument("<file>")
  .option("--speed <n>", "times faster than it was", positive, 1)
  .option("--limit <n>", "messages to play; all without it", whole)
  .action(async (file: string, options: { speed: number; limit?: number }) => {
    await replayTrace(file, options, settings(), (line) => console.log(line));
  });

ops
  .command("reference")
  .description("writes the reference of all settings, deploy/configuration.md")
  .option("--check", "only says whether it is stale")
  .action(async ({ check = false }: { check?: boolean }) => {
    if ((await reference(check)) === "stale")
      throw new Fatal("deploy/configuration.md is stale: run `npm run generate`");
  });

try {
  await ops.parseAsync();
} catch (error) {
  console.error(`ops: ${messageOf(error)}`);
  process.exitCode = 1;
}
