import { joined } from "./errors.ts";
import { startKafka } from "./kafka.ts";
import { given, type Place, type Started } from "./place.ts";
import type { Part, Plan } from "./plan.ts";
import { startPostgres } from "./postgres.ts";
import { fetchPrograms, type Programs } from "./programs.ts";
import { startRegistry } from "./registry.ts";

/**
 * Starts the parts as planned: Kafka beside PostgreSQL, the registry after PostgreSQL. What has started is given to
 * `stopping`, also when another part fails; all are waited for, so that none is forgotten.
 */
export async function startParts(
  place: Place,
  planned: Plan,
  stopping: AsyncDisposableStack,
): Promise<Record<Part, string>> {
  const programs = fetchPrograms(place, planned);
  const kafka = kafkaOf(place, planned, programs);
  const postgres = postgresOf(place, planned);
  const registry = registryOf(place, planned, programs, postgres);
  const settled = await Promise.allSettled([postgres, kafka, registry]);
  for (const each of settled) if (each.status === "fulfilled") stopping.use(each.value.stop);
  // A set: the registry fails with PostgreSQL's own error when that one does.
  const failures = new Set(settled.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : [])));
  if (failures.size > 0) throw joined([...failures]);
  return { kafka: (await kafka).address, registry: (await registry).address, postgres: (await postgres).address };
}

async function kafkaOf(place: Place, { kafka }: Plan, programs: Programs | undefined): Promise<Started> {
  if (kafka.kind === "given") return given(place, "kafka", kafka.address);
  if (!programs) throw new Error("planned without programs");
  return startKafka(place, programs.java, await programs.kafka);
}

async function postgresOf(place: Place, { postgres }: Plan): Promise<Started> {
  if (postgres.kind === "given") return given(place, "postgres", postgres.address);
  return startPostgres(place);
}

async function registryOf(
  place: Place,
  { registry, postgres }: Plan,
  programs: Programs | undefined,
  started: Promise<Started>,
): Promise<Started> {
  if (registry.kind === "given") return given(place, "registry", registry.address);
  if (!programs) throw new Error("planned without programs");
  const [folder, { address }] = await Promise.all([programs.registry, started]);
  // On a server that is not ours the name tells whose registry it is.
  const database = postgres.kind === "given" ? `${databaseOf(address)}_registry` : "registry";
  return startRegistry(place, programs.java, folder, address, database);
}

function databaseOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || "postgres";
}
