import { setImmediate as others } from "node:timers/promises";

/** The same in their order, in as many pieces as their sizes ask for: of one of several, none is larger than `most`. */
export function* inChunks<T>(all: Iterable<T>, sizeOf: (one: T) => number, most: number): Generator<readonly T[]> {
  let piece: T[] = [];
  let size = 0;
  for (const one of all) {
    const its = sizeOf(one);
    if (piece.length > 0 && size + its > most) {
      yield piece;
      piece = [];
      size = 0;
    }
    piece.push(one);
    size += its;
  }
  if (piece.length > 0) yield piece;
}

/** The same; between two of them others in this process have their turn. */
export async function* inChunksYielding<T>(
  all: Iterable<T>,
  sizeOf: (one: T) => number,
  most: number,
): AsyncGenerator<readonly T[]> {
  let isFirst = true;
  for (const piece of inChunks(all, sizeOf, most)) {
    if (!isFirst) await others();
    isFirst = false;
    yield piece;
  }
}
