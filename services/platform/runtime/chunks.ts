import { setImmediate as nextTurn } from "node:timers/promises";

/** Splits items into chunks, in their order. A chunk of several items has at most the size `most`. */
export function* inChunks<T>(items: Iterable<T>, sizeOf: (item: T) => number, most: number): Generator<readonly T[]> {
  let chunk: T[] = [];
  let total = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (chunk.length > 0 && total + size > most) {
      yield chunk;
      chunk = [];
      total = 0;
    }
    chunk.push(item);
    total += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** Splits items into chunks like `inChunks`; between two chunks other work in this process has its turn. */
export async function* inChunksYielding<T>(
  items: Iterable<T>,
  sizeOf: (item: T) => number,
  most: number,
): AsyncGenerator<readonly T[]> {
  let isFirst = true;
  for (const chunk of inChunks(items, sizeOf, most)) {
    if (!isFirst) await nextTurn();
    isFirst = false;
    yield chunk;
  }
}
