import type { Effect, Multicast, MulticastFormat } from "../../contract/effect.ts";
import type { Lane } from "../../contract/lane.ts";
import type { TopicId } from "../../contract/topic.ts";
import type { LaneEffect } from "../lane-effect.ts";

/** The effects of a batch, in order. */
export interface EffectList {
  add(lane: Lane, effect: Effect): void;
  /** Starts the effects of another event: equal entries before and after are not joined here. */
  startEvent(): void;
  /** Size of the list: one for each effect, and for each key of a multicast whose equal entries are not merged. */
  size(): number;
  effects(): readonly LaneEffect[];
}

/** Multicasts of one event that send the same entry object become one. */
export const effectList = (formats: Readonly<Record<TopicId, MulticastFormat>> = {}): EffectList => {
  const all: LaneEffect[] = [];
  const sent = new Map<object, string[]>();
  let size = 0;
  return {
    add(lane, effect) {
      if (effect.type !== "multicast") {
        size++;
        all.push({ lane, effect });
        return;
      }
      size += formats[effect.topic]?.mergesEqual === true ? 1 : effect.keys.length;
      const keys = sent.get(effect.entry);
      if (keys !== undefined) {
        for (const key of effect.keys) keys.push(key);
        return;
      }
      const own = [...effect.keys];
      const joined: Multicast = { type: "multicast", topic: effect.topic, entry: effect.entry, keys: own };
      sent.set(effect.entry, own);
      all.push({ lane, effect: joined });
    },
    startEvent: () => sent.clear(),
    size: () => size,
    effects: () => all,
  };
};
