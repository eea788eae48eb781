import { describe, expect, test } from "vitest";
import type { Effect, MulticastFormat } from "../../contract/effect.ts";
import { laneOf } from "../../contract/lane.ts";
import type { LaneEffect } from "../lane-effect.ts";
import { jsonCodec, product } from "../parcels.fixture.ts";
import { countByTopic, encodeEffects } from "./outbox.ts";

const listed: MulticastFormat = {
  mergesEqual: false,
  forKeys: (entry, keys) => ({ ...entry, keys }),
  idsOf: () => [],
};
const counters = {
  parcels: { amountOf: (effect: Effect) => (effect.type === "publish" && effect.topic === "parcels" ? 1 : 0) },
};

/** Encodes effects for the packer, whose lanes have had ten entries each. */
const encode = (...effects: readonly LaneEffect[]) => {
  const sequences = new Map<number, number>();
  const encoded = encodeEffects(effects, {
    processor: { name: "packer", multicasts: { lists: listed }, counters },
    codec: jsonCodec,
    product,
    widths: new Map([["lists", 4]]),
    next(lane) {
      const sequence = (sequences.get(lane) ?? 10) + 1;
      sequences.set(lane, sequence);
      return sequence;
    },
  });
  return {
    ...encoded,
    outbox: encoded.outbox.map((entry) => ({ ...entry, value: jsonCodec.decode("", entry.value) })),
  };
};
const parcel = (lane: number, key: string): LaneEffect => ({
  lane,
  effect: { type: "publish", topic: "parcels", key, value: { key } },
});
const multicast = (lane: number, name: string, keys: readonly string[]): LaneEffect => ({
  lane,
  effect: { type: "multicast", topic: "lists", entry: { name }, keys },
});

describe("a published record", () => {
  test("is encoded under its key, without a partition", () => {
    expect(encode(parcel(3, "a")).outbox).toEqual([
      { stream: "packer/3", sequence: 11, topic: "parcels", partition: null, key: "a", value: { key: "a" } },
    ]);
  });

  test("has no key on a topic whose records have none", () => {
    const letter = { type: "publish", topic: "deadLetters", key: "a", value: {} } as const;
    expect(encode({ lane: 0, effect: letter }).outbox[0]?.key).toBeNull();
  });

  test("has the next number of its own lane's stream", () => {
    const { outbox } = encode(parcel(0, "a"), parcel(1, "b"), parcel(0, "c"));
    expect(outbox.map(({ stream, sequence }) => [stream, sequence])).toEqual([
      ["packer/0", 11],
      ["packer/1", 11],
      ["packer/0", 12],
    ]);
  });
});

test("a stray goes to the partition of its lane, without a key", () => {
  const stray = { topic: "shop.orders", partition: 1, offset: 5, timestamp: 7, key: "a", value: null };
  const { outbox } = encode({ lane: 0, effect: { type: "forward", topic: "parcels", partition: 2, stray } });
  expect(outbox).toMatchObject([{ topic: "parcels", partition: 2, key: null, value: stray }]);
});

test("a job is listed beside the records and takes no number of the stream", () => {
  const job = { queue: "post", id: "j", payload: { a: 1 }, runAt: 5 };
  const { outbox, jobs } = encode({ lane: 0, effect: { type: "enqueue", ...job } }, parcel(0, "a"));
  expect(jobs).toEqual([job]);
  expect(outbox.map(({ sequence }) => sequence)).toEqual([11]);
});

describe("multicasts", () => {
  test("of one lane to one partition become one record, in the order of the effects", () => {
    const { outbox } = encode(multicast(0, "first", ["a"]), multicast(0, "second", ["a"]));
    expect(outbox).toMatchObject([
      {
        partition: laneOf("a", 4),
        key: null,
        value: {
          entries: [
            { name: "first", keys: ["a"] },
            { name: "second", keys: ["a"] },
          ],
        },
      },
    ]);
  });

  test("of two lanes stay two records, each in its lane's stream", () => {
    const { outbox } = encode(multicast(0, "first", ["a"]), multicast(1, "second", ["a"]));
    expect(outbox.map(({ stream }) => stream)).toEqual(["packer/0", "packer/1"]);
  });

  test("reach each key on the partition of the key", () => {
    const keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const { outbox } = encode(multicast(0, "all", keys));
    const reached = outbox.flatMap(({ partition, value }) =>
      (value as { entries: { keys: string[] }[] }).entries.flatMap((entry) =>
        entry.keys.map((key) => [key, partition] as const),
      ),
    );
    expect(new Map(reached)).toEqual(new Map(keys.map((key) => [key, laneOf(key, 4)])));
    expect(reached).toHaveLength(keys.length);
  });

  test("come after every other record of the commit", () => {
    const { outbox } = encode(multicast(0, "list", ["a"]), parcel(0, "a"));
    expect(outbox.map(({ topic, sequence }) => [topic, sequence])).toEqual([
      ["parcels", 11],
      ["lists", 12],
    ]);
  });

  test("to a topic that the processor does not declare are a bug", () => {
    const effect = { type: "multicast", topic: "parcels", entry: {}, keys: ["a"] } as const;
    expect(() => encode({ lane: 0, effect })).toThrow("packer declares no multicast to parcels");
  });
});

test("an effect that is still to be composed is a bug", () => {
  const effect = { type: "compose", payload: null } as const;
  expect(() => encode({ lane: 0, effect })).toThrow("has not been composed");
});

test("the product's counters rise by the effects, strays apart", () => {
  const stray = { topic: "shop.orders", partition: 1, offset: 5, timestamp: 7, key: "a", value: null };
  const forward = { type: "forward", topic: "parcels", partition: 2, stray } as const;
  expect(encode(parcel(0, "a"), parcel(1, "b"), { lane: 0, effect: forward }).counts).toEqual({ parcels: 2 });
  expect(encode().counts).toEqual({ parcels: 0 });
});

test("records are counted by their topics", () => {
  const records = [{ topic: "orders" }, { topic: "lists" }, { topic: "orders" }];
  expect(countByTopic(records)).toEqual(
    new Map([
      ["orders", 2],
      ["lists", 1],
    ]),
  );
});
