import { COMPATIBILITY, SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { Fatal, messageOf, Transient } from "../../contract/failure.ts";

/** A Confluent-compatible schema registry. This file alone imports its client. */
export interface Registry {
  /** The text of the schema with this id (JSON for Avro); null where the registry has none. Throws Transient. */
  find(id: number): Promise<string | null>;
  /** The id of this schema under the subject; null where it is not registered there. Throws Transient. */
  idOf(subject: string, schema: string): Promise<number | null>;
  /**
   * Registers a schema. A new subject gets compatibility BACKWARD; a subject with another level keeps it. Throws Transient,
   * and Fatal where the registry refuses the schema.
   */
  register(subject: string, schema: string): Promise<Registration>;
}

export interface Registration {
  readonly id: number;
  /** The subject's compatibility level: BACKWARD, unless an operator chose another. */
  readonly compatibility: string;
}

/** Milliseconds that the registry has for an answer. */
const TIMEOUT = 10_000;

/** The client's error for another level than the subject's. It names both: (wanted != found). */
const OTHER_LEVEL = /Compatibility does not match the configuration \(\w+ != (\w+)\)/;

/**
 * The HTTP status with which the registry refused; undefined for any other failure. The client loses the 404 of a missing
 * schema, and reports 400 ("Error, status 400: connect …") where there was no answer at all.
 */
const refused = (error: unknown): number | undefined => {
  const { name, status } = error as { readonly name?: string; readonly status?: number };
  if (name === "ConfluentSchemaRegistryError") return 404;
  const isAnswer = status !== undefined && status >= 400 && status < 500 && !messageOf(error).includes("Error, status");
  return isAnswer ? status : undefined;
};

const transient = (what: string, error: unknown): Transient =>
  new Transient(`schema registry: ${what}: ${messageOf(error)}`, { cause: error });

/** Opens a registry. @param host base URL of the API, with the credentials where it needs them (HTTP basic) */
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
  // The client retries once, quickly: the caller waits and asks again.
  const client = new SchemaRegistry({
    host: base,
    retry: { retries: 1, initialRetryTimeInSecs: 0.2, maxRetryTimeInSecs: 1 },
    ...auth,
  });
  const asAvro = (schema: string) => ({ type: SchemaType.AVRO as const, schema });
  return {
    // Fetched without the client, which parses the schema and fails where avsc does not take it.
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

/** A refusal of the registry is Fatal; any other failure may pass. */
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
