import type { Lane } from "../contract/lane.ts";
import type { RawRecord } from "../contract/ports.ts";

/** An event that is to be folded, with its lane and the record that it was read from. */
export interface PendingEvent<Event> {
  readonly lane: Lane;
  readonly event: Event;
  readonly raw: RawRecord;
}
