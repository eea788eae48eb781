import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { partitionsOf } from "../../services/platform/contract/topic-partition.ts";
import { conversationsService } from "../../services/conversations/service.ts";
import { topicIds } from "../../services/domain/topics.ts";
import { inboxesService } from "../../services/inboxes/service.ts";
import { isEqual } from "../../services/ops/rebuild/compare.ts";
import { letter } from "../support/letters.ts";
import { eventually, type World, world } from "../support/world.ts";
import {
  SETTINGS,
  publishPast,
  unsubscribed,
  rebuilt,
  differing,
  nothing,
  quiet,
  triggered,
  tellings,
  toldWithoutMail,
  leftovers,
} from "../support/rebuilding.ts";

const extents = async (chat: World) => chat.log.offsets(await partitionsOf(chat.log, topicIds));

test("a rebuild equals the live state, tells nobody, and leaves nothing behind", { timeout: 120_000 }, async () => {
  const chat = await world({}, SETTINGS);
  await publishPast(chat, 1);
  await chat.publish(unsubscribed(0));
  await using _ = chat.serve();
  await quiet(chat);
  const before = { extents: await extents(chat), mails: chat.mailbox.mails().length };
  expect(before.mails).toBeGreaterThan(0);
  const found = await rebuilt(chat);
  expect(differing(found)).toEqual(nothing);
  expect(isEqual(found)).toBe(true);
  expect(found.told.both).toBe((await triggered(chat)).length);
  expect(found.kinds.map(({ kind, rows }) => [kind, rows > 0])).toEqual(
    ["conversation", "recent", "message", "profile", "user", "thread", "preference"].map((kind) => [kind, true]),
  );
  expect(found.live.isStill).toBe(false);
  expect({ extents: await extents(chat), mails: chat.mailbox.mails().length }).toEqual(before);
  expect(await leftovers(chat)).toEqual([]);
});

test("without a mailer the rest is rebuilt, and preferences wait for a mailer", { timeout: 90_000 }, async () => {
  const chat = await world({}, SETTINGS);
  await chat.publish(...letter(0), ...letter(2), unsubscribed(2));
  {
    await using _ = chat.serve([conversationsService, inboxesService]);
    await quiet(chat);
    const found = await rebuilt(chat, { isToSwitch: true });
    expect(differing(found)).toEqual(nothing);
    expect(found.live.isStill).toBe(false);
    expect(found.kinds.map(({ kind }) => kind)).not.toContain("preference");
  }
  await using _ = chat.serve();
  await eventually(async () => expect(await tellings(chat, 1)).toEqual([]));
  await quiet(chat);
  expect((await tellings(chat, 3)).at(-1)).toEqual(toldWithoutMail);
});

const main = fileURLToPath(new URL("../../services/ops/main.ts", import.meta.url));

/** Runs `ops rebuild` in a process of its own, and collects its output. */
const ops = ({ environment }: World, ...args: readonly string[]) => {
  const env = { ...process.env, ...environment };
  const child: ChildProcess = spawn(process.execPath, [main, "rebuild", ...args], { env, stdio: "pipe" });
  const said = { out: "", err: "" };
  child.stdout?.on("data", (text) => (said.out += String(text)));
  child.stderr?.on("data", (text) => (said.err += String(text)));
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  return { child, said, ended };
};

test(
  "the command reports its result by its exit code, and removes everything that it made when stopped",
  { timeout: 180_000 },
  async () => {
    const chat = await world({}, SETTINGS);
    await publishPast(chat, 5);
    await using _ = chat.serve();
    await quiet(chat);
    const equal = ops(chat, "--json");
    expect([await equal.ended, equal.said.err.split("\n")[0]]).toEqual([
      0,
      expect.stringMatching(/^folding \d+ %.* left$/),
    ]);
    expect(JSON.parse(equal.said.out)).toMatchObject({ isEqual: true, differences: [], switched: null });

    const killed = ops(chat);
    await eventually(() => expect(killed.said.err).toContain("folding "));
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(await leftovers(chat)).toContain("whileaway_rebuild");

    await chat.database.query("delete from state_conversations where key like 'c%launch'");
    const different = ops(chat);
    expect(await different.ended).toBe(1);
    expect(different.said.out).toContain("conversation c launch (lane 0): live has none\n");
    expect(await leftovers(chat)).toEqual([]);

    const stopped = ops(chat);
    await eventually(() => expect(stopped.said.err).toContain("folding "));
    stopped.child.kill("SIGINT");
    expect([await stopped.ended, stopped.said.err]).toEqual([130, expect.stringMatching(/ops rebuild: stopped\n$/)]);
    expect(await leftovers(chat)).toEqual([]);

    const misused = ops(chat, "--swich");
    expect([await misused.ended, misused.said.err]).toEqual([2, expect.stringContaining("usage: ops rebuild --help")]);
  },
);
