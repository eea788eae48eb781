import type { Lane } from "../../contract/lane.ts";
import type { RowWrite } from "../../contract/ports.ts";
import type { Rows } from "../../contract/processor.ts";
import type { Millis } from "../../contract/time.ts";

/** Thrown to a fold that reads rows which nobody has fetched. */
export class RowsMissing extends Error {
  readonly keys: readonly string[];
  constructor(keys: readonly string[]) {
    super(keys.join());
    this.keys = keys;
  }
}

/** Rows as a batch has changed them so far, over those that were read. `get` and `expect` throw RowsMissing. */
export interface RowOverlay<Row> extends Rows<Row> {
  set(lane: Lane, key: string, row: Row | null, due: Millis | null): void;
  /** The timer of a row that was set; else undefined. */
  due(key: string): Millis | null | undefined;
  writes(): readonly (RowWrite & { readonly value: Row | null })[];
}

/** @param rows rows as they were read; null: there is none */
export const rowOverlay = <Row>(rows: ReadonlyMap<string, Row | null>): RowOverlay<Row> => {
  const changed = new Map<string, { readonly lane: Lane; row: Row | null; due: Millis | null }>();
  return {
    get(key) {
      const own = changed.get(key);
      const known = own === undefined ? rows.get(key) : own.row;
      if (known === undefined) throw new RowsMissing([key]);
      return known ?? undefined;
    },
    expect(keys) {
      const missing = keys.filter((key) => !changed.has(key) && !rows.has(key));
      if (missing.length > 0) throw new RowsMissing(missing);
    },
    set(lane, key, row, due) {
      const own = changed.get(key);
      if (own === undefined) changed.set(key, { lane, row, due });
      else {
        own.row = row;
        own.due = due;
      }
    },
    due: (key) => changed.get(key)?.due,
    writes: () => Array.from(changed, ([key, { lane, row, due }]) => ({ lane, key, value: row, due })),
  };
};
