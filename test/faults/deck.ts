import type { Random } from "../../deploy/local/demo/random.ts";

/** Draws one after the other: none twice before all were there. */
export const deck = <T>(dice: Random, all: readonly T[]): (() => T) => {
  let left: readonly T[] = [];
  return () => {
    if (left.length === 0) left = all;
    const drawn = dice.pick(left);
    left = left.filter((other) => other !== drawn);
    return drawn;
  };
};
