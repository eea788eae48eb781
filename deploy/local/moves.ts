import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Place } from "./place.ts";
import { PARTS, type Part, type Plan } from "./plan.ts";

const WORDS = { given: "another server", docker: "a container", process: "a process" } as const;

/**
 * Reports parts that moved since the last start: their data is in the old place. The data of other parts may refer to
 * it, such as a position in a topic, and is wrong then.
 */
export async function tellMoves(place: Place, planned: Plan): Promise<void> {
  const file = join(place.dataDir, "sources.json");
  const before = await read(file);
  // The registry's data is in PostgreSQL.
  for (const part of ["kafka", "postgres"] as const) {
    const [was, is] = [before[part], planned[part].kind];
    if (was && was !== is) place.voice.say(`${part}: last time ${WORDS[was]}, now ${WORDS[is]}: its data stayed there`);
  }
  await writeFile(file, JSON.stringify(Object.fromEntries(PARTS.map((part) => [part, planned[part].kind]))));
}

async function read(file: string): Promise<Partial<Record<Part, keyof typeof WORDS>>> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Partial<Record<Part, keyof typeof WORDS>>;
  } catch {
    return {};
  }
}
