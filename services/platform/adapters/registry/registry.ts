import { COMPATIBILITY, SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { Fatal, messageOf, Transient } from "../../contract/failure.ts";

/** A Confluent-compatible schema registry. The only file that imports its client. */
export interface Registry {
  /** The text of the schema with this id, JSON if it is Avro's; null where the registry has none. Throws Transient. */
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

/**
 * The HTTP status of the registry's own "no". The client forgets the 404 of a schema that isn't there, and has a 400
 * ("Error, status 400: connect …") for no answer at all.
 */
const refused = (error: unknown): number | undefined => {
  const { name, status } = error as { readonly name?: string; readonly status?: number };
  if (name === "ConfluentSchemaRegistryError") return 404;
  const isAnswer = status !== undefined && status >= 400 && status < 500 && !messageOf(error).includes("Error, status");
  return isAnswer ? status : undefined;
};

const transient = (what: string, error: unknown): Transient =>
  new Transient(`schema registry: ${what}: ${messageOf(error)}`, { cause: error });

/** @param host base URL of the API, credentials in it if it wants them (HTTP basic) */
export const openRegistry = (host: string): Registry => {
  const url = new URL(host);
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const auth = username === "" ? {} : { auth: { username, password } };
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  const headers: Record<string, string> = username === "" ? {} : { authorization: `Basic ${basic}` };
  url.username = "";
  url.password = "";
  const base = url.href.replace(/\/$/, "");
  // One retry of the client's own, quick: whoever asks waits and asks again.
  const client = new SchemaRegistry({
    host: base,
    retry: { retries: 1, initialRetryTimeInSecs: 0.2, maxRetryTimeInSecs: 1 },
    ...auth,
  });
  const asAvro = (schema: string) => ({ type: SchemaType.AVRO as const, schema });
  return {
    // Not by the client, which parses what it finds and fails where it isn't Avro that avsc takes.
    async find(id) {
      try {
        const response = await fetch(`${base}/schemas/ids/${id}`, { headers, signal: AbortSignal.timeout(TIMEOUT) });
        if (response.status === 404) return null;
        if (!response.ok) throw new Error(`HTTP ${response.status}`);
        return ((await response.json()) as { readonly schema: string }).schema;
      } catch (error) {
        throw transient(`schema ${id}`, error);
      }
    },
    async idOf(subject, schema) {
      try {
        return await limited(client.getRegistryIdBySchema(subject, asAvro(schema)));
      } catch (error) {
        if (refused(error) === 404) return null;
        throw transient(subject, error);
      }
    },
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

/** A registry's "no" stays; anything else may pass. */
const refusal = (subject: string, error: unknown): Error =>
  refused(error) === undefined
    ? transient(subject, error)
    : new Fatal(`schema registry: ${subject}: ${messageOf(error)}`, { cause: error });

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
