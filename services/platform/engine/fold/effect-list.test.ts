import { expect, test } from "vitest";
import type { MulticastFormat } from "../../contract/effect.ts";
import { effectList } from "./effect-list.ts";

const format = (mergesEqual: boolean): MulticastFormat => ({ mergesEqual, forKeys: (entry) => entry, idsOf: () => [] });
const send = (topic: string, ...keys: readonly string[]) => ({ type: "multicast", topic, entry: {}, keys }) as const;

test("a multicast counts for each of its keys, or once where its equal entries are merged", () => {
  const list = effectList({ parcels: format(false), receipts: format(true) });
  list.add(0, send("parcels", "a", "b", "c"));
  expect(list.size()).toBe(3);
  list.add(0, send("receipts", "a", "b", "c"));
  expect(list.size()).toBe(4);
  list.add(0, { type: "publish", topic: "parcels", key: "a", value: {} });
  expect(list.size()).toBe(5);
});

test("multicasts of one event that send the same entry become one, those of another event do not", () => {
  const list = effectList();
  const entry = {};
  list.add(0, { type: "multicast", topic: "receipts", entry, keys: ["a"] });
  list.add(0, { type: "multicast", topic: "receipts", entry, keys: ["b"] });
  list.startEvent();
  list.add(0, { type: "multicast", topic: "receipts", entry, keys: ["c"] });
  expect(list.effects().map(({ effect }) => "keys" in effect && effect.keys)).toEqual([["a", "b"], ["c"]]);
});
