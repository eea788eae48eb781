/** Keys of the parts of a row: these keys, and every key that begins with the prefix. */
export interface Span {
  readonly keys: readonly string[];
  readonly prefix: string | null;
}

/** Layout of rows in the store: in parts, each under a key of its own, so that only changed parts are written. */
export interface RowParts<Row> {
  span(key: string): Span;
  /** Key of the row that a part belongs to. */
  rowOf(part: string): string;
  /** Key of the part that has the row's timer: it changes whenever that does, unless time or the global table alone moves it. */
  timer(key: string): string;
  /** The row, from all parts that there are; undefined where it has none. */
  assemble(key: string, parts: ReadonlyMap<string, unknown>): Row | undefined;
  /** A part as it is now: JSON data, or undefined where there is none. */
  part(row: Row, part: string): unknown;
  /**
   * Parts that have changed since the row was saved, and what they are now: JSON data, or what becomes that when it is
   * written (`toJSON`); null where one is gone.
   */
  changed(key: string, row: Row | null): readonly (readonly [part: string, value: unknown])[];
  /** The row is in the store as it is now. */
  saved(row: Row): void;
}

/** Rows of one part each: no row is changed, but another put in its place. */
export const whole: RowParts<unknown> = {
  span: (key) => ({ keys: [key], prefix: null }),
  rowOf: (part) => part,
  timer: (key) => key,
  assemble: (key, parts) => parts.get(key),
  part: (row) => row,
  changed: (key, row) => [[key, row]],
  saved: () => undefined,
};

/** @param processor the parts of its rows, where they have several */
export const partsOf = <Row>({ parts }: { readonly parts?: RowParts<Row> }): RowParts<Row> =>
  parts ?? (whole as RowParts<Row>);
