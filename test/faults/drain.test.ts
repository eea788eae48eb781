import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { laneOf } from "../../services/platform/contract/lane.ts";
import { SECOND } from "../../services/platform/contract/time.ts";
import { letter, lettersTold } from "../support/letters.ts";
import { eventually, PARTITIONS, type World, world } from "../support/world.ts";
import { type Running, startAll } from "./processes.ts";

/** Longer than a group takes to give the lanes of a member that has left to another member. */
const LONG = 6 * SECOND;

/** The epoch of each lane of conversations: how often the lane was claimed. */
const epochs = async ({ database }: World): Promise<readonly number[]> => {
  const lanes = await database.query<{ epoch: number }>(
    "select epoch from lanes where processor = 'conversations' order by lane",
  );
  return lanes.map(({ epoch }) => epoch);
};

/** Starts a process whose database connections carry its name. */
const started = (chat: World, name: string): Running => {
  const { DATABASE_URL } = chat.environment;
  return startAll({
    ...chat,
    environment: { ...chat.environment, DATABASE_URL: `${DATABASE_URL}?application_name=${name}` },
  });
};

test("a process that is asked to stop keeps its lanes until its last step is saved", { timeout: 120_000 }, async () => {
  const chat = await world({ LOG_LEVEL: "info" });
  const members = { first: started(chat, "first"), second: started(chat, "second") };
  const letters = Array.from({ length: 40 }, (_none, index) => index);
  const write = (some: readonly number[]) => chat.publish(...some.flatMap((index) => letter(index)));
  const mailed = (some: readonly number[]) => {
    const wanted = lettersTold(40).filter((_told, index) => some.includes(index));
    return eventually(() =>
      expect(chat.mailbox.mails().flatMap(({ to }) => to)).toEqual(
        expect.arrayContaining(wanted.map(({ userId }) => `${userId}@example.org`)),
      ),
    );
  };
  // Each member has a lane, and no rebalance is under way.
  const lanesOf = ({ said }: Running) =>
    said.findLast(({ message, processor }) => message === "lanes claimed" && processor === "conversations")?.lanes;
  await eventually(() => expect(Object.values(members).map(lanesOf)).toEqual(expect.arrayContaining([[0], [1]])));
  await write(letters.slice(0, 20));
  await mailed(letters.slice(0, 20));

  const left = await chat.database.transaction(async (connection): Promise<keyof typeof members> => {
    await connection.query("lock table state_conversations in access exclusive mode");
    // One lane has work that its owner can't do. The other member could claim the lane.
    const laneOfLetter = (index: number): number => laneOf(lettersTold(40)[index]?.conversationId ?? "", PARTITIONS);
    await write(letters.slice(20).filter((index) => laneOfLetter(index) === 0));
    const waiting = async () =>
      connection.query<{ name: keyof typeof members }>(
        `select application_name as name from pg_locks join pg_stat_activity using (pid)
         where not granted and relation = 'state_conversations'::regclass`,
      );
    await eventually(async () => expect(await waiting()).not.toEqual([]));
    const name = (await waiting())[0]?.name ?? "first";
    const before = await epochs(chat);
    members[name].child.kill("SIGTERM");
    await delay(LONG); // nothing may happen
    expect(await epochs(chat)).toEqual(before);
    return name;
  });
  expect(await members[left].end).toEqual({ code: 0, signal: null });
  await write(letters.slice(20));
  await mailed(letters);
});
