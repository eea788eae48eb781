import type { Clock, Codec, Log, Store } from "../contract/ports.ts";
import type { Product } from "../contract/topic.ts";
import type { Wakeups } from "../runtime/wakeups.ts";
import type { Relay } from "./output/relay.ts";

/** Everything outside that an engine works with. */
export interface World {
  readonly product: Product;
  readonly log: Log;
  readonly store: Store;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly relay: Relay;
  /** Woken under a queue's name when it has new jobs. */
  readonly wakeups: Wakeups;
}
