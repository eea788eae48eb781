import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { eventually, type World } from "../support/world.ts";

/**
 * Milliseconds after which a silent member counts as dead, and within which an owner finds out that its lane was
 * claimed by another and could claim it back.
 */
const LOOK = 12_000;

/** The epoch of each lane of each processor: how often the lane was claimed. */
export const epochsOf = async ({ database }: World): Promise<ReadonlyMap<string, number>> => {
  const lanes = await database.query<{ name: string; epoch: number }>(
    "select processor || '/' || lane as name, epoch from lanes",
  );
  return new Map(lanes.map(({ name, epoch }) => [name, epoch]));
};

/** Resolves when no member claims lanes from another any more. */
export const expectNoQuarrel = (chat: World): Promise<void> =>
  eventually(async () => {
    const before = await epochsOf(chat);
    await delay(LOOK);
    expect(await epochsOf(chat)).toEqual(before);
  });
