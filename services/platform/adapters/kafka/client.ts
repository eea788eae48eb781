import { setTimeout as delay } from "node:timers/promises";
import type { TopicId } from "../../contract/topic.ts";
import { Fatal, messageOf, Transient } from "../../contract/failure.ts";
import type { Log, Outgoing } from "../../contract/ports.ts";
import { asBuffer } from "../../runtime/buffers.ts";
import { announce } from "../../runtime/facts.ts";

/** Settings for a connection to the brokers. */
export interface KafkaSettings {
  /** `host:port` of some brokers. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Prefix of every topic's and group's name, so that several installations can share a cluster. */
  readonly prefix: string;
  /**
   * Name of a log beside the live one. Derived records are read and written on separate topics (`<name>.<apart>`), by
   * separate groups (`whileaway.<apart>.…`); all other topics are the live log's. Identity: a rebuild that was killed is
   * found again by it.
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

/** Kafka. Another client than kafkajs must give the same, and pass test/contract (services/platform/README.md). */
export interface KafkaLog extends Log, AsyncDisposable {
  /** The state of our topics on the broker; topics that do not exist are left out. */
  describe(): Promise<ReadonlyMap<TopicId, TopicState>>;
  /** Asks for topics; they may exist only a moment later. */
  create(wanted: readonly WantedTopic[]): Promise<void>;
  /**
   * Deletes the topics and groups of a log apart. Throws Fatal on the live log, and Transient while a group has members:
   * the members of a process that died stay until their session ends.
   */
  clear(): Promise<void>;
  /** Name of a topic on the broker. */
  readonly nameOf: (topic: TopicId) => string;
}

/** A kafkajs client, which has its own connections. */
interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/** Retries of a request inside kafkajs. Our loops try again after them. */
export const RETRY = { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000 } as const;

/** Types of errors that say that we or the setup are wrong. */
const WRONG =
  /AUTHORIZATION|SASL_AUTHENTICATION|UNSUPPORTED|MESSAGE_TOO_LARGE|INVALID_(CONFIG|TOPIC|REPLICATION|PARTITIONS)/;

/** Kafka's type of an error, or of its cause; "" where there is none. */
const typeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "";
  return (error as { readonly type?: string }).type ?? typeOf(error.cause);
};

/** Classifies a failure of Kafka or its client: Transient, unless it says that we or the setup are wrong. */
export const failureOf = (error: unknown): Transient | Fatal => {
  if (error instanceof Transient || error instanceof Fatal) return error;
  const Kind = WRONG.test(typeOf(error)) ? Fatal : Transient;
  return new Kind(`Kafka: ${messageOf(error)}`, { cause: error });
};

/** Runs a request; throws Transient or Fatal, whatever the client throws. */
export const passing = async <T>(ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    throw failureOf(error);
  }
};

/** Connects a client at its first use. A connection that failed is tried again at the next use. */
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
 * Replaces a client after each failure. A kafkajs client may be stuck by then: an idempotent producer on a sequence
 * number, any client on a connection or on stale metadata.
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
          void used.end().catch(() => undefined); // the client has failed already
        }
        throw error;
      }
    },
    end: async (): Promise<void> => current?.end(),
  };
};

/** Milliseconds between the failure of a client that is kept running and the start of the next one. */
const RESTART_AFTER = 500;

/** One client that works by itself, from its start to its failure. */
interface Life<Client> {
  readonly client: Client;
  readonly begun: Promise<void>;
  /** Resolves with the error that ended the client; null when it was stopped. */
  readonly failure: PromiseWithResolvers<unknown>;
}

/**
 * Keeps a client running that works by itself: when it fails, a new one takes its place. Rejects where the first client
 * can't start.
 * @param make makes a client that calls `failed` when it fails
 * @param giveUp called when a client has failed by a Fatal: no client runs any more
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
  const leave = (client: Client) => client.disconnect().catch(() => undefined); // the client has failed already
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
    /** The client that runs now, or is about to. */
    current: () => current.client,
    /** Replaces the client that runs now, as if it had failed. */
    restart: (why: Transient): void => current.failure.resolve(why),
    async end(): Promise<void> {
      isOver = true;
      const { client, begun, failure } = current;
      failure.resolve(null);
      await client.disconnect();
      void begun.then(() => leave(client)).catch(() => undefined); // a client that begins after the disconnect would go on
    },
  };
};

/** Flattens headers: of a repeated header the last value counts, and a null value (as other clients write) is empty. */
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

let silenced = false;

/** Silences a warning. kafkajs 2.2.4 sets timers of negative length; Node 24 takes them for 1 ms and warns once a process. */
export const silenceNegativeTimeouts = (): void => {
  if (silenced) return;
  silenced = true;
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: never[]) => {
    if ((rest[0] as unknown) !== "TimeoutNegativeWarning") emit(warning, ...rest);
  };
};

/** Converts headers to the types that kafkajs takes. */
export const headersOf = (headers: NonNullable<Outgoing["headers"]>): Record<string, string | Buffer> => {
  const all = Object.entries(headers);
  return Object.fromEntries(all.map(([name, value]) => [name, typeof value === "string" ? value : asBuffer(value)]));
};
