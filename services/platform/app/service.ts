import type { Database } from "../contract/database.ts";
import type { Keyed, Processor, Stage } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import type { TopicId } from "../contract/topic.ts";
import type { Work } from "../contract/work.ts";
import type { Provided } from "../engine/engine.ts";
import type { FlowWatermark } from "../engine/time/flow-watermark.ts";
import type { World } from "../engine/world.ts";
import type { LookUp } from "../runtime/row-lookup.ts";
import type { Settings, Variables } from "./config.ts";
import type { HttpServer } from "./http.ts";

/** The composition root, as a service is given it at its start. */
export interface Root extends World {
  /** Fetches rows of any processor. */
  readonly lookUp: LookUp;
  readonly database: Database;
  /** The process's HTTP server. A service may add routes under its name, before the server listens. */
  readonly http: HttpServer;
  /** The watermark of a flow, asked at most once a second; `to` is the topic that its last stage writes. */
  flowWatermark(stages: readonly Stage[], to: TopicId): Promise<FlowWatermark>;
  /** Tells whether a processor that folds in the order of arrival has folded every record of a topic up to a time. */
  hasFolded(processor: string, topic: TopicId): Promise<(at: Millis) => Promise<boolean>>;
  /** Runs a processor in this process: its engine starts and stops with the root. `given` as for `startEngine`. */
  process<Row, Event extends Keyed, Given>(processor: Processor<Row, Event, Given>, ...given: Provided<Given>): void;
  /** Runs workers for a queue in this process. */
  work(work: Work): void;
  /** Disposes of a part when the process stops, after the parts that were registered later. */
  own(part: AsyncDisposable): void;
}

/** A service: its variables, and its start. Every `main.ts` serves one service, `services/main.ts` serves all. */
export interface Service<V extends Variables = Variables> {
  readonly name: string;
  readonly variables: V;
  start(root: Root, settings: Settings<V>): Promise<void> | void;
}

/** Declares a service, with the types of its settings inferred from its variables. */
export const service = <const V extends Variables>(declared: Service<V>): Service<V> => declared;
