import type { Registry } from "../runtime/registry.ts";

/** A second implementation of the registry: ids count up from 1, the same schema has one id. */
export const memoryRegistry = (): Registry => {
  const schemas: string[] = [];
  const subjects = new Map<string, Set<number>>();

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
    register(subject, schema) {
      const id = idOf(schema);
      subjects.set(subject, (subjects.get(subject) ?? new Set()).add(id));
      return Promise.resolve({ id, compatibility: "BACKWARD" });
    },
  };
};
