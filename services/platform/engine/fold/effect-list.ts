import type { Effect, Verdict } from "../../contract/effect.ts";
import type { UserId } from "../../../domain/ids.ts";
import type { Lane } from "../../contract/lane.ts";
import type { LaneEffect } from "./fold.ts";

/** The effects of a batch, in order. */
export interface Consequences {
  add(lane: Lane, effect: Effect): void;
  /** What is added from here on follows from something else. */
  begin(): void;
  /** How much there is: effects, and of a fan-out its recipients. */
  count(): number;
  effects(): readonly LaneEffect[];
}

/** Notes of one verdict about several users become one, where they follow from the same. */
export const consequences = (): Consequences => {
  const all: LaneEffect[] = [];
  const noted = new Map<Verdict, UserId[]>();
  let count = 0;
  return {
    add(lane, effect) {
      count += effect.type === "fanOut" ? effect.entry.recipients.length : 1;
      if (effect.type !== "note") {
        all.push({ lane, effect });
        return;
      }
      const { entry } = effect;
      const users = noted.get(entry);
      if (users !== undefined) {
        for (const user of effect.users) users.push(user);
        return;
      }
      const own = [...effect.users];
      noted.set(entry, own);
      all.push({ lane, effect: { type: "note", entry, users: own } });
    },
    begin: () => noted.clear(),
    count: () => count,
    effects: () => all,
  };
};
