import { COMPATIBILITY, SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { Fatal, messageOf, Transient } from "../core/failure.ts";

/** A Confluent-compatible schema registry. The only file that imports its client. */
export interface Registry {
  /** The Avro schema (JSON text) with this id; null where the registry has none. Throws Transient. */
  find(id: number): Promise<string | null>;
  /** The id of this schema under the subject; null where it isn't registered there. Throws Transient. */
  idOf(subject: string, schema: string): Promise<number | null>;
  /**
   * Registers it; a subject that is new gets compatibility BACKWARD, one that has another level keeps it. Throws
   * Transient, or what the registry refuses.
   */
  register(subject: string, schema: string): Promise<Registration>;
}

export interface Registration {
  readonly id: number;
  /** The subject's level: BACKWARD unless someone chose another. */
  readonly compatibility: string;
}

/** Milliseconds the registry has for an answer. */
const TIMEOUT = 10_000;

/** The client refuses to register under another level than the subject's, and names both: (wanted != found). */
const OTHER_LEVEL = /Compatibility does not match the configuration \(\w+ != (\w+)\)/;

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
      const under = async (compatibility: COMPATIBILITY): Promise<Registration> => {
        const { id } = await limited(client.register(asAvro(schema), { subject, compatibility, separator: "." }));
        return { id, compatibility };
      };
      try {
        return await under(COMPATIBILITY.BACKWARD);
      } catch (error) {
        const named = OTHER_LEVEL.exec(messageOf(error))?.[1];
        const other = Object.values(COMPATIBILITY).find((level: string) => level === named);
        if (other === undefined) throw refusal(subject, error);
        return under(other).catch((again: unknown) => Promise.reject(refusal(subject, again)));
      }
    },
  };
};

/** A registry's "no" (HTTP 4xx) stays; anything else may pass. */
const refusal = (subject: string, error: unknown): Error => {
  const message = `schema registry: ${subject}: ${messageOf(error)}`;
  const code = status(error);
  return code !== undefined && code >= 400 && code < 500
    ? new Fatal(message, { cause: error })
    : new Transient(message, { cause: error });
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
