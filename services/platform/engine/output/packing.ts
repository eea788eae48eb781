import type { MulticastFormat } from "../../contract/effect.ts";
import { laneOf } from "../../contract/lane.ts";

/** Keys that one record names at most: the work of taking it stays bounded. */
const MAX_KEYS = 500;
/**
 * UTF-16 code units of a record's ids at most, more than one entry can have: three bytes each, they stay below the 2 MiB
 * that our topics take.
 */
const MAX_UNITS = 600_000;
/** Units for the rest of an entry, and for an id beside its characters. */
const UNITS_OF_ENTRY = 200;
const UNITS_OF_ID = 2;

/** The entries of a commit for one topic, packed into few records for the partitions of their keys. */
export interface Packing {
  add(entry: object, keys: readonly string[]): void;
  records(): readonly { readonly partition: number; readonly value: { readonly entries: readonly object[] } }[];
}

/** The records of one partition. The last is full when it names MAX_KEYS keys, or its ids have MAX_UNITS. */
interface Box {
  readonly records: object[][];
  keys: number;
  units: number;
}

/** Packs entries; each partition's keep their order, and equal ones become one where the format says so. */
export const packing = (format: MulticastFormat, partitions: number): Packing => {
  const boxes: readonly Box[] = Array.from({ length: partitions }, () => ({ records: [], keys: 0, units: 0 }));
  const merged = new Map<string, { readonly entry: object; readonly keys: string[] }>();
  const pack = (entry: object, all: readonly string[]): void => {
    for (const [partition, keys] of shares(all, partitions)) {
      const own = format.forKeys(entry, keys);
      const box = boxes[partition];
      if (box !== undefined) put(box, own, keys.length, unitsOf(format.idsOf(own)));
    }
  };
  return {
    add(entry, keys) {
      if (!format.mergesEqual) {
        pack(entry, keys);
        return;
      }
      const text = JSON.stringify(entry);
      const equal = merged.get(text);
      if (equal === undefined) merged.set(text, { entry, keys: [...keys] });
      else for (const key of keys) equal.keys.push(key);
    },
    records() {
      for (const { entry, keys } of merged.values()) pack(entry, distinct(keys));
      merged.clear();
      return boxes.flatMap(({ records }, partition) => records.map((entries) => ({ partition, value: { entries } })));
    },
  };
};

const unitsOf = (ids: readonly (string | null)[]): number =>
  ids.reduce((sum, id) => sum + UNITS_OF_ID + (id?.length ?? 0), 0);

/** Adds an entry to a partition's last record, or to a new one where that is full. */
const put = (box: Box, entry: object, keys: number, unitsOfIds: number): void => {
  const units = unitsOfIds + UNITS_OF_ENTRY;
  const last = box.records.at(-1);
  if (last !== undefined && box.keys + keys <= MAX_KEYS && box.units + units <= MAX_UNITS) last.push(entry);
  else {
    box.records.push([entry]);
    box.keys = box.units = 0;
  }
  box.keys += keys;
  box.units += units;
};

/** Keys by partition, at most MAX_KEYS in each share. */
const shares = (keys: readonly string[], partitions: number): readonly (readonly [number, readonly string[]])[] => {
  const [first] = keys;
  if (first === undefined) return [];
  const only = laneOf(first, partitions);
  if (keys.length <= MAX_KEYS && keys.every((key) => key === first || laneOf(key, partitions) === only))
    return [[only, keys]]; // keys of one lane stay on that lane's partition
  return [...Map.groupBy(keys, (key) => laneOf(key, partitions))].flatMap(([partition, ofIt]) =>
    Array.from(
      { length: Math.ceil(ofIt.length / MAX_KEYS) },
      (_none, index) => [partition, ofIt.slice(index * MAX_KEYS, (index + 1) * MAX_KEYS)] as const,
    ),
  );
};

const distinct = (keys: readonly string[]): readonly string[] => {
  if (keys.length === 1) return keys;
  const all = new Set(keys);
  return all.size === keys.length ? keys : [...all];
};
