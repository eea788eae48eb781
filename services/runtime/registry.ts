import { COMPATIBILITY, SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { messageOf, Transient } from "../core/failure.ts";

/** A Confluent-compatible schema registry. The only file that imports its client. */
export interface Registry {
  /** The Avro schema (JSON text) with this id; null where the registry has none. Throws Transient. */
  find(id: number): Promise<string | null>;
  /** The id of this schema under the subject; null where it isn't registered there. Throws Transient. */
  idOf(subject: string, schema: string): Promise<number | null>;
  /** Registers it, with compatibility BACKWARD for the subject. Throws Transient, or what the registry refuses. */
  register(subject: string, schema: string): Promise<number>;
}

/** Milliseconds the registry has for an answer. */
const TIMEOUT = 10_000;

const status = (error: unknown): number | undefined => (error as { readonly status?: number }).status;

/** The client reports an HTTP status; whatever isn't the registry's own "no" can pass. */
const orNull = async <T>(what: string, answer: Promise<T>): Promise<T | null> => {
  try {
    return await answer;
  } catch (error) {
    if (status(error) === 404) return null;
    throw new Transient(`schema registry: ${what}: ${messageOf(error)}`, { cause: error });
  }
};

/** @param host base URL of the API, credentials in it if it wants them (HTTP basic) */
export const openRegistry = (host: string): Registry => {
  const url = new URL(host);
  const auth =
    url.username === ""
      ? {}
      : { auth: { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } };
  url.username = "";
  url.password = "";
  // One retry of the client's own, quick: whoever asks waits and asks again.
  const client = new SchemaRegistry({
    host: url.href.replace(/\/$/, ""),
    retry: { retries: 1, initialRetryTimeInSecs: 0.2, maxRetryTimeInSecs: 1 },
    ...auth,
  });
  const asAvro = (schema: string) => ({ type: SchemaType.AVRO as const, schema });
  return {
    find: async (id) => {
      const found = await orNull(`schema ${id}`, limited(client.getSchema(id)));
      return found === null ? null : JSON.stringify(found); // an avsc type: as JSON it is its schema
    },
    idOf: (subject, schema) => orNull(subject, limited(client.getRegistryIdBySchema(subject, asAvro(schema)))),
    async register(subject, schema) {
      const options = { subject, compatibility: COMPATIBILITY.BACKWARD, separator: "." };
      return (await limited(client.register(asAvro(schema), options))).id;
    },
  };
};

const limited = async <T>(answer: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${TIMEOUT} ms`)), TIMEOUT);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
};
