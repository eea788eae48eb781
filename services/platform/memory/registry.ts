import { Fatal } from "../contract/failure.ts";
import { canRead } from "../adapters/registry/avro.ts";
import type { Registry } from "../adapters/registry/registry.ts";

/** Makes a registry in memory: a second implementation of the port. Ids count up from 1, and equal schemas have one id. */
export const memoryRegistry = (): Registry => {
  const schemas: string[] = [];
  const subjects = new Map<string, Set<number>>(); // ids in the order of their registration

  const idOf = (schema: string): number => {
    const found = schemas.indexOf(schema);
    return found === -1 ? schemas.push(schema) : found + 1;
  };

  return {
    find: (id) => Promise.resolve(schemas[id - 1] ?? null),
    idOf: (subject, schema) => {
      const id = schemas.indexOf(schema) + 1;
      return Promise.resolve(subjects.get(subject)?.has(id) ? id : null);
    },
    async register(subject, schema) {
      const latest = schemas[([...(subjects.get(subject) ?? [])].at(-1) ?? 0) - 1];
      if (latest !== undefined && !canRead(schema, latest))
        throw new Fatal(`schema registry: ${subject}: the new schema cannot read the records of the latest one`);
      const id = idOf(schema);
      subjects.set(subject, (subjects.get(subject) ?? new Set()).add(id));
      return { id, compatibility: "BACKWARD" };
    },
  };
};
