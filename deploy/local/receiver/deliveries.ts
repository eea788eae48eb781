import type { Feed } from "../page/live.ts";

/** Deliveries kept in memory; the oldest go first. */
export const KEEP_DELIVERIES = 10_000;
/** Characters of all their bodies together; the oldest go first. */
const KEEP_CHARS = 64 * 1024 * 1024;
/** Deliveries whose number of arrivals is remembered, beyond those kept; the oldest are forgotten. */
const SEEN_LIMIT = 200_000;

/** One request that an endpoint got. */
export interface Delivery {
  /** Grows by one with each. */
  readonly number: number;
  /** The endpoint: `/hooks/{name}`. */
  readonly name: string;
  /** The webhook-id header; "" without one. */
  readonly id: string;
  /** The payload's `type`, or "". */
  readonly type: string;
  /** The user it is about, or "". */
  readonly user: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly verified: boolean;
  /** Reason why it was not verified, or "". */
  readonly problem: string;
  /** Arrivals of this id at this endpoint, this one included; 0 if it could not be verified. */
  readonly seen: number;
  /** The status it was answered with. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The payload as it came, up to `BODY_KEPT_CHARS`. */
  readonly body: string;
}

/** Totals since the start, with those of the log that the start found. */
export interface Summary {
  readonly received: number;
  /** Verified deliveries with an id that was new to its endpoint. */
  readonly distinct: number;
  readonly verified: number;
  /** Verified deliveries of an id that had come before. */
  readonly repeated: number;
  /** Verified deliveries by type. */
  readonly byType: Readonly<Record<string, number>>;
}

/** The deliveries of a receiver. */
export interface Deliveries extends Feed<Delivery> {
  /** Adds a delivery; its number, and its number of arrivals, are set here. */
  readonly add: (delivery: Omit<Delivery, "number" | "seen">) => Delivery;
  /** Restores a delivery from the log. */
  readonly restore: (delivery: Delivery) => void;
  /** Newest first. */
  readonly list: () => Delivery[];
  readonly find: (number: number) => Delivery | undefined;
  readonly summary: () => Summary;
  /** Number of arrivals of an id at an endpoint. */
  readonly seen: (name: string, id: string) => number;
}

/** A cursor that sorts as text in the order of numbers. */
export function cursorOf({ number }: { readonly number: number }): string {
  return String(number).padStart(12, "0");
}

/** An empty record of deliveries. */
export function createDeliveries(keep: number = KEEP_DELIVERIES): Deliveries {
  const kept: Delivery[] = [];
  const seen = new Map<string, number>();
  const byType: Record<string, number> = Object.create(null);
  const totals = { received: 0, distinct: 0, verified: 0, repeated: 0 };
  const listeners = new Set<() => void>();
  let [last, chars] = [0, 0];

  const seenKey = (name: string, id: string): string => `${name} ${id}`;
  const record = (delivery: Delivery): void => {
    last = delivery.number;
    totals.received += 1;
    if (delivery.verified) {
      totals.verified += 1;
      totals[delivery.seen > 1 ? "repeated" : "distinct"] += 1;
      const type = delivery.type || "(no type)";
      byType[type] = (byType[type] ?? 0) + 1;
      seen.set(seenKey(delivery.name, delivery.id), delivery.seen);
      if (seen.size > SEEN_LIMIT) seen.delete(seen.keys().next().value ?? "");
    }
    kept.push(delivery);
    chars += delivery.body.length;
    while (kept.length > keep || (chars > KEEP_CHARS && kept.length > 1)) chars -= kept.shift()?.body.length ?? 0;
    for (const listener of listeners) listener();
  };
  const after = (cursor: string): Delivery[] => kept.slice(kept.findLastIndex((each) => cursorOf(each) <= cursor) + 1);
  return {
    add(delivery) {
      const times = delivery.verified ? (seen.get(seenKey(delivery.name, delivery.id)) ?? 0) + 1 : 0;
      const added: Delivery = { ...delivery, number: last + 1, seen: times };
      record(added);
      return added;
    },
    restore: record,
    list: () => kept.toReversed(),
    find: (number) => kept.find((delivery) => delivery.number === number),
    summary: () => ({ ...totals, byType: { ...byType } }),
    seen: (name, id) => seen.get(seenKey(name, id)) ?? 0,
    after: (cursor, limit) => after(cursor).slice(0, limit),
    countAfter: (cursor) => after(cursor).length,
    newest: () => cursorOf({ number: last }),
    onGrowth(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
