/** The same in their order, in as many pieces as their sizes ask for: of one of several, none is larger than `most`. */
export function* inPieces<T>(all: Iterable<T>, sizeOf: (one: T) => number, most: number): Generator<readonly T[]> {
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
