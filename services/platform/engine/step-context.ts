import type { Subscription } from "../contract/ports.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { TopicId } from "../contract/topic.ts";
import type { Assignment } from "./assignment.ts";
import type { GlobalTableReader } from "./intake/global-table.ts";
import type { Backpressure } from "./time/backpressure.ts";
import type { World } from "./world.ts";

/** Everything that one step of an engine works with. */
export interface StepContext<Row, Event extends Keyed, Given> {
  readonly processor: Processor<Row, Event, Given>;
  readonly given: Given;
  readonly globalTable: GlobalTableReader<Given> | null;
  readonly downstream: Backpressure;
  readonly world: World;
  readonly assignment: Assignment<Row, Event>;
  readonly subscription: Subscription;
  /** Number of the processor's lanes, here and elsewhere. */
  readonly lanes: number;
  /** Partitions of the topics that its multicasts go to. */
  readonly widths: ReadonlyMap<TopicId, number>;
}
