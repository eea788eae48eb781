import type { FastifyInstance } from "fastify";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { World } from "../engine/engine.ts";
import type { Settings, Variables } from "./config.ts";
import type { Database } from "../adapters/postgres/database.ts";
import type { Work } from "../engine/jobs/worker.ts";

/** What the composition root gives a service to start with. */
export interface Root extends World {
  readonly database: Database;
  /** The process's HTTP server: a service may add routes under its own name, before it listens. */
  readonly http: FastifyInstance;
  /** Runs a processor in this process: its engine starts with the root and drains with it. */
  process<Row, Event extends Keyed, Given>(
    processor: Processor<Row, Event, Given>,
    given: () => Given | Promise<Given>,
  ): void;
  /** Runs workers for a queue in this process. */
  work(work: Work): void;
  /** Disposed of after what was registered later, when the process stops. */
  own(part: AsyncDisposable): void;
}

/** A service: what it needs to know and how it is put together. Every `main.ts` serves one, `services/main.ts` all. */
export interface Service<V extends Variables = Variables> {
  readonly name: string;
  readonly variables: V;
  start(root: Root, settings: Settings<V>): Promise<void> | void;
}

/** Keeps the types of a service's own settings together. */
export const service = <const V extends Variables>(it: Service<V>): Service<V> => it;
