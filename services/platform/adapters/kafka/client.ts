import { setTimeout as delay } from "node:timers/promises";
import type { TopicId } from "../../contract/topic.ts";
import { Fatal, messageOf, Transient } from "../../contract/failure.ts";
import type { Log, Outgoing } from "../../contract/ports.ts";
import { announce } from "../../runtime/facts.ts";

/** What a Kafka client needs around it, whichever it is: `kafka.ts` and, of consumers, `kafka-consumer.ts` alone know which. */

/** How to reach the brokers. */
export interface KafkaSettings {
  /** `host:port` of some of them. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Stands before every topic's and group's name: several installations share a cluster. */
  readonly prefix: string;
  /**
   * Names a log beside the live one: what is derived is read and written on topics of its own (`<name>.<apart>`), by
   * groups of its own (`whileaway.<apart>.…`); everything else is the live one's. Identity: by it a killed one's are found.
   */
  readonly apart?: string;
  readonly tls: boolean;
  readonly sasl?: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  };
}

/** A topic as the broker has it. */
export interface TopicState {
  readonly partitions: number;
  readonly replication: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface WantedTopic extends TopicState {
  readonly topic: TopicId;
}

/** Kafka. To replace `kafkajs` is to write those two files anew and pass test/contract. */
export interface KafkaLog extends Log, AsyncDisposable {
  /** What the broker has of our topics. */
  describe(): Promise<ReadonlyMap<TopicId, TopicState>>;
  /** Asks for topics; they may take a moment to be there. */
  create(wanted: readonly WantedTopic[]): Promise<void>;
  /**
   * Deletes the topics and groups of a log apart. Throws Fatal where it isn't one, Transient where something is still
   * there: members of a group that has died count as there until their session ends.
   */
  clear(): Promise<void>;
  /** A topic's name on the broker. */
  readonly nameOf: (topic: TopicId) => string;
}

/** A client with a connection of its own. */
interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/** kafkajs's own attempts at a request; our loops try again after them. */
export const RETRY = { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000 } as const;

const WRONG =
  /AUTHORIZATION|SASL_AUTHENTICATION|UNSUPPORTED|MESSAGE_TOO_LARGE|INVALID_(CONFIG|TOPIC|REPLICATION|PARTITIONS)/;

/** What Kafka calls an error, or the one that it comes from. */
const typeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "";
  return (error as { readonly type?: string }).type ?? typeOf(error.cause);
};

/** Everything Kafka refuses, or a client fails by, may pass but what says that we or its set-up are wrong. */
export const failureOf = (error: unknown): Transient | Fatal => {
  if (error instanceof Transient || error instanceof Fatal) return error;
  const Kind = WRONG.test(typeOf(error)) ? Fatal : Transient;
  return new Kind(`Kafka: ${messageOf(error)}`, { cause: error });
};

/** Throws Transient or Fatal, whatever fails. */
export const passing = async <T>(ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    throw failureOf(error);
  }
};

/** A client that connects at its first use; a connection that failed is tried again at the next. */
export const connected = <Client extends Connectable>(
  client: Client,
): (() => Promise<Client>) & { readonly end: () => Promise<void> } => {
  let connecting: Promise<void> | null = null;
  const get = async (): Promise<Client> => {
    connecting ??= client.connect();
    try {
      await connecting;
    } catch (error) {
      connecting = null;
      throw new Transient(`Kafka: ${messageOf(error)}`, { cause: error });
    }
    return client;
  };
  return Object.assign(get, { end: () => client.disconnect() });
};

/**
 * After a failure a client of kafkajs may be stuck, an idempotent producer on a sequence number, any of them on a
 * connection or on what it knows of the cluster: a new one takes its place.
 */
export const restartable = <Client extends Connectable>(make: () => Client) => {
  let current: ReturnType<typeof connected<Client>> | null = null;
  return {
    async use<T>(ask: (client: Client) => Promise<T>): Promise<T> {
      current ??= connected(make());
      const used = current;
      try {
        return await passing(async () => ask(await used()));
      } catch (error) {
        if (current === used) {
          current = null;
          void used.end().catch(() => undefined); // it failed already; how its end fails tells nothing more
        }
        throw error;
      }
    },
    end: async (): Promise<void> => current?.end(),
  };
};

/** Milliseconds between the failure of something that is kept running and its next start. */
const RESTART_AFTER = 500;

/** A client that works by itself. */
interface Life<Client> {
  readonly client: Client;
  readonly begun: Promise<void>;
  /** Settled with why it ended. */
  readonly failure: PromiseWithResolvers<unknown>;
}

/**
 * Keeps a client running that works by itself: when it fails, a new one takes its place. Rejects where the first can't
 * start.
 * @param make makes one that says when it has failed
 * @param giveUp told when one has failed by what won't pass: nothing more will come
 */
export const kept = async <Client extends Connectable>(
  make: (failed: (error: Error) => void) => Client,
  begin: (client: Client) => Promise<void>,
  giveUp: (error: Fatal) => void,
) => {
  let isOver = false;
  const start = (): Life<Client> => {
    const failure = Promise.withResolvers<unknown>();
    const client = make(failure.resolve);
    const begun = passing(() => begin(client));
    begun.catch(failure.resolve);
    return { client, begun, failure };
  };
  const leave = (client: Client) => client.disconnect().catch(() => undefined); // it failed already
  const keep = async (): Promise<void> => {
    for (;;) {
      const error = failureOf(await current.failure.promise);
      if (isOver) return;
      void leave(current.client);
      if (error instanceof Fatal) return giveUp(error);
      announce("stumbled", { loop: "consumer", error, wait: RESTART_AFTER });
      await delay(RESTART_AFTER);
      if (isOver) return;
      current = start();
    }
  };
  let current = start();
  await current.begun.catch((error: unknown) => {
    void leave(current.client);
    throw error;
  });
  void keep();
  return {
    /** The one that runs now, or is about to. */
    current: () => current.client,
    /** As if the one that runs now had failed. */
    restart: (why: Transient): void => current.failure.resolve(why),
    async end(): Promise<void> {
      isOver = true;
      const { client, begun, failure } = current;
      failure.resolve(null);
      await client.disconnect();
      void begun.then(() => leave(client)).catch(() => undefined); // it had begun, and would go on
    },
  };
};

/** A header that is repeated counts once, the last; one without a value, as other clients write it, is empty. */
export const flat = (
  headers: Readonly<Record<string, Buffer | string | null | (Buffer | string | null)[] | undefined>>,
): Readonly<Record<string, Uint8Array>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const last = Array.isArray(value) ? value.at(-1) : value;
      return last === undefined
        ? []
        : [[name, typeof last === "string" ? Buffer.from(last) : (last ?? Buffer.alloc(0))]];
    }),
  );

/** The same bytes, as the Buffer that clients want. */
export const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

let silenced = false;

/** kafkajs 2.2.4 asks for timers of negative length, which Node 24 takes for 1 ms and warns of once a process. */
export const silenceNegativeTimeouts = (): void => {
  if (silenced) return;
  silenced = true;
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: never[]) => {
    if ((rest[0] as unknown) !== "TimeoutNegativeWarning") emit(warning, ...rest);
  };
};

/** Headers as kafkajs takes them. */
export const headersOf = (headers: NonNullable<Outgoing["headers"]>): Record<string, string | Buffer> => {
  const all = Object.entries(headers);
  return Object.fromEntries(all.map(([name, value]) => [name, typeof value === "string" ? value : asBuffer(value)]));
};
