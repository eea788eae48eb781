import { startKafkaContainer, startPostgresContainer, startRegistryContainer } from "./containers.ts";
import { createDatabase } from "./database.ts";
import type { Docker } from "./docker.ts";
import { joined } from "./errors.ts";
import { startKafka } from "./kafka.ts";
import { given, type Place, type Started } from "./place.ts";
import type { Part, Plan } from "./plan.ts";
import { startPostgres } from "./postgres.ts";
import { fetchPrograms, type Programs } from "./programs.ts";
import { startRegistry } from "./registry.ts";

/**
 * Starts the parts as planned: Kafka beside PostgreSQL, the registry after PostgreSQL. Started parts are given to
 * `stopping`, also when another part fails. All are waited for, so that none is forgotten.
 */
export async function startParts(
  place: Place,
  planned: Plan,
  docker: Docker | undefined,
  stopping: AsyncDisposableStack,
): Promise<Record<Part, string>> {
  const programs = fetchPrograms(place, planned);
  const kafka = kafkaOf(place, planned, docker, programs);
  const postgres = postgresOf(place, planned, docker);
  const registry = registryOf(place, planned, docker, programs, postgres);
  const settled = await Promise.allSettled([postgres, kafka, registry]);
  for (const each of settled) if (each.status === "fulfilled") stopping.use(each.value.stop);
  // A set: the registry fails with PostgreSQL's own error when PostgreSQL does.
  const failures = new Set(settled.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : [])));
  if (failures.size > 0) throw joined([...failures]);
  return { kafka: (await kafka).address, registry: (await registry).address, postgres: (await postgres).address };
}

async function kafkaOf(place: Place, { kafka }: Plan, docker: Docker | undefined, programs: Programs | undefined) {
  if (kafka.kind === "given") return given(place, "kafka", kafka.address);
  const image = kafka.kind === "docker" && docker?.images.get("kafka");
  if (docker && image) return startKafkaContainer(place, docker, image);
  if (!programs) throw new Error("a part is planned as a process, but its programs were not fetched");
  return startKafka(place, programs.java, await programs.kafka);
}

/** PostgreSQL, and its address for containers if it is one. */
async function postgresOf(
  place: Place,
  { postgres }: Plan,
  docker: Docker | undefined,
): Promise<Started & { readonly inside?: string }> {
  if (postgres.kind === "given") return given(place, "postgres", postgres.address);
  const image = postgres.kind === "docker" && docker?.images.get("postgres");
  if (docker && image) return startPostgresContainer(place, docker, image);
  return startPostgres(place);
}

async function registryOf(
  place: Place,
  { registry, postgres }: Plan,
  docker: Docker | undefined,
  programs: Programs | undefined,
  started: ReturnType<typeof postgresOf>,
): Promise<Started> {
  if (registry.kind === "given") return given(place, "registry", registry.address);
  const { address, inside } = await started;
  // On a server that is not ours the name tells whose registry it is.
  const database = postgres.kind === "given" ? `${databaseOf(address)}_registry` : "registry";
  await createDatabase(address, database);
  const image = registry.kind === "docker" && docker?.images.get("registry");
  if (docker && image && inside) return startRegistryContainer(place, docker, image, inside, database);
  if (!programs) throw new Error("a part is planned as a process, but its programs were not fetched");
  return startRegistry(place, programs.java, await programs.registry, address, database);
}

function databaseOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || "postgres";
}
