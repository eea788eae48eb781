import type { Random } from "../../deploy/local/demo/random.ts";

/** Draws items one after the other. None repeats before all have been drawn. */
export const deck = <T>(dice: Random, all: readonly T[]): (() => T) => {
  let left: readonly T[] = [];
  return () => {
    if (left.length === 0) left = all;
    const drawn = dice.pick(left);
    left = left.filter((other) => other !== drawn);
    return drawn;
  };
};
