import { missingError, type Missing } from "./errors.ts";
import { findJava, missingMaven, type Java } from "./java.ts";
import { kafkaJars } from "./kafka.ts";
import { download, isCached, type Fetched } from "./maven.ts";
import type { Place } from "./place.ts";
import type { Plan } from "./plan.ts";
import { registryFiles } from "./registry.ts";

/** Java, and the folders of its programs, which are being fetched. */
export interface Programs {
  readonly java: Java;
  readonly kafka: Promise<string>;
  readonly registry: Promise<string>;
}

/**
 * Begins to fetch the programs of the planned processes; undefined when they need no Java. Throws one LocalStackError
 * that names everything missing.
 */
export function fetchPrograms(place: Place, planned: Plan): Programs | undefined {
  const kafka = planned.kafka.kind === "process" ? kafkaJars(place.cacheDir) : undefined;
  const registry = planned.registry.kind === "process" ? registryFiles(place.cacheDir) : undefined;
  const wanted = [kafka, registry].filter((each) => each !== undefined);
  if (wanted.length === 0) return undefined;
  const java = findTools(place, wanted);
  // One Maven at a time: two of them get in each other's way in an empty local repository.
  const first = kafka ? download(place, java, kafka) : Promise.resolve("");
  const second = first.then(() => (registry ? download(place, java, registry) : ""));
  for (const each of [first, second]) each.catch(() => undefined); // the error reaches whoever awaits the folder
  return { java, kafka: first, registry: second };
}

function findTools(place: Place, wanted: readonly Fetched[]): Java {
  const java = findJava(place.environment);
  const maven = wanted.every(isCached) ? undefined : missingMaven(place.environment);
  const missing: Missing[] = [];
  if ("what" in java) missing.push(java);
  if (maven) missing.push(maven);
  if ("what" in java || maven) throw missingError(missing);
  return java;
}
