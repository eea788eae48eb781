import { LocalStackError } from "./errors.ts";

/** The parts of the stack, in the order of their lines. */
export const PARTS = ["kafka", "registry", "postgres"] as const;
export type Part = (typeof PARTS)[number];

/** The source of a part: an address in the environment, a container, or a process of ours. */
export type Source = { readonly kind: "given"; readonly address: string } | { readonly kind: "docker" | "process" };
export type Plan = Record<Part, Source>;

/** Tells whether containers may, may not or must be used. */
export type Mode = "any" | "processes" | "docker";

export const VARIABLES: Record<Part, string> = {
  kafka: "KAFKA_BROKERS",
  registry: "SCHEMA_REGISTRY_URL",
  postgres: "DATABASE_URL",
};

/** Parses LOCAL_STACK. Throws LocalStackError for a word it does not know. */
export function modeOf(environment: Record<string, string | undefined>): Mode {
  const value = environment["LOCAL_STACK"] || "any";
  if (value === "any" || value === "processes" || value === "docker") return value;
  throw new LocalStackError(`LOCAL_STACK=${value}: it is processes, docker or any`);
}

/** The parts whose address the environment does not name. */
export function unnamed(environment: Record<string, string | undefined>): Part[] {
  return PARTS.filter((part) => !environment[VARIABLES[part]]);
}

/**
 * The source of each part, given the parts whose image is at hand. A registry in a container needs a PostgreSQL that it
 * can reach from there, so only one in a container will do.
 */
export function plan(environment: Record<string, string | undefined>, mode: Mode, images: ReadonlySet<Part>): Plan {
  const source = (part: Part): Source => {
    const address = environment[VARIABLES[part]];
    if (address) return { kind: "given", address };
    return { kind: images.has(part) && (part !== "registry" || postgresInDocker) ? "docker" : "process" };
  };
  const postgresInDocker = !environment[VARIABLES.postgres] && images.has("postgres");
  const planned = { kafka: source("kafka"), registry: source("registry"), postgres: source("postgres") };
  const processes = PARTS.filter((part) => planned[part].kind === "process");
  if (mode === "docker" && processes.length > 0) {
    throw new LocalStackError(`LOCAL_STACK=docker, but no container can be had for ${processes.join(", ")}`);
  }
  return planned;
}
