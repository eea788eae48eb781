import type { Codec } from "../contract/ports.ts";
import type { Product, Topic } from "../contract/topic.ts";

/** A product for specs of the engine, which knows none of its own: orders become parcels. */

const topic = (name: string, key: string, owner: Topic["owner"]): Topic => ({
  name,
  key,
  schema: "stray",
  cleanup: "compact",
  owner,
  about: name,
});

export const product: Product = {
  topics: {
    orders: topic("shop.orders", "orderId", "external"),
    prices: topic("shop.prices", "country", "external"),
    parcels: topic("shop.parcels", "parcelId", "own"),
    lists: topic("shop.lists", "none", "own"),
    deadLetters: topic("shop.dead-letters", "none", "own"),
  },
  precedence: ["orders", "parcels"],
  derived: ["parcels", "lists"],
  deadLetters: "deadLetters",
  counters: { parcels: "Parcels packed" },
};

/** Values as JSON: these specs are not about the wire format. */
export const jsonCodec: Codec = {
  prepare: () => Promise.resolve(),
  decode: (_topic, value): unknown => JSON.parse(new TextDecoder().decode(value)),
  encode: (_topic, value) => new TextEncoder().encode(JSON.stringify(value)),
};
