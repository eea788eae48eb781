import fc from "fast-check";
import { expect, test } from "vitest";
import { priorityQueue } from "./priority-queue.ts";

test("items are taken in the order of their times, and items of one time in the order of putting", () => {
  const turn = fc.oneof({ weight: 2, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant("take" as const) });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 60 }), (turns) => {
      const real = priorityQueue<string>();
      let model: { at: number; item: string }[] = [];
      for (const [index, at] of turns.entries()) {
        if (at === "take") {
          const [first, ...rest] = model;
          expect(real.next()).toBe(first?.at ?? Infinity);
          expect(real.take()).toBe(first?.item);
          model = rest;
        } else {
          real.put(at, `${index}`);
          model = [...model, { at, item: `${index}` }].toSorted((a, b) => a.at - b.at);
        }
      }
    }),
  );
});
