import type { Effect } from "../contract/effect.ts";
import type { Lane } from "../contract/lane.ts";
import type { Stray } from "../contract/records.ts";
import type { Millis } from "../contract/time.ts";
import type { TopicId } from "../contract/topic.ts";

/** Sends a stray to the lane of its key. */
export interface Forward {
  readonly type: "forward";
  readonly topic: TopicId;
  readonly partition: number;
  readonly stray: Stray;
}

/** An effect, and the lane of the event that it follows from. */
export interface LaneEffect {
  readonly lane: Lane;
  readonly effect: Effect | Forward;
}

/** A timer, or a Compose of the lane, that the rule can't take. */
export interface Stuck {
  readonly lane: Lane;
  readonly key: string;
  readonly at: Millis;
  readonly error: unknown;
}
