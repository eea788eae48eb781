import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { eventually, type World } from "../support/world.ts";

/**
 * Milliseconds in which a member that gives no sign of life is taken for dead, and whoever holds a lane that another has
 * taken finds out, and would take it back.
 */
const LOOK = 12_000;

/** How often each lane of each processor has been taken. */
export const epochsOf = async ({ database }: World): Promise<ReadonlyMap<string, number>> => {
  const lanes = await database.query<{ name: string; epoch: number }>(
    "select processor || '/' || lane as name, epoch from lanes",
  );
  return new Map(lanes.map(({ name, epoch }) => [name, epoch]));
};

/** Resolves when nobody takes lanes from another any more. */
export const expectNoQuarrel = (chat: World): Promise<void> =>
  eventually(async () => {
    const before = await epochsOf(chat);
    await delay(LOOK);
    expect(await epochsOf(chat)).toEqual(before);
  });
