import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { standingKey, threadKey } from "../../services/inboxes/saved-parts.ts";
import { letter } from "../support/letters.ts";
import { eventually, world } from "../support/world.ts";
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

/** Milliseconds between two letters: enough to keep one under way at any moment, without a burst. */
const LETTER_EVERY = 50;

/** Writes again and again until disposed of. */
const writeOn = (write: () => Promise<void>): AsyncDisposable => {
  const end = new AbortController();
  const writing = (async () => {
    while (!end.signal.aborted) {
      await write();
      await delay(LETTER_EVERY);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await writing;
    },
  };
};

test("a row that is wrong is named by a rebuild, and corrected by a switch", { timeout: 90_000 }, async () => {
  const chat = await world({}, SETTINGS);
  await publishPast(chat, 2);
  await chat.publish(...letter(0), unsubscribed(2));
  await using _ = chat.serve();
  await quiet(chat);
  const key = threadKey("reader-0", "letter-0");
  const row = () => chat.database.query("select value, due from state_inboxes where key = $1", [key]);
  const right = await row();
  await chat.database.query(
    `update state_inboxes set value = jsonb_set(value::jsonb, '{readUntil}', '7')::json where key = $1`,
    [key],
  );
  await chat.database.query("grant select on state_inboxes to public");
  const gone = standingKey("reader-0");
  await chat.database.query("delete from state_inboxes where key = $1", [gone]);
  await chat.database.query(`update state_mailer set value = '{"unsubscribed": [], "at": 0}' where key = 'reader-2'`);
  const found = await rebuilt(chat);
  expect(found.differences.map(({ kind, key: name, where }) => [kind, name, where])).toEqual([
    ["user", gone, ["live has none"]],
    ["thread", key, ["readUntil: 7 | -"]],
    ["preference", "reader-2", [expect.stringMatching(/^unsubscribed/), expect.stringMatching(/^at: 0/)]],
  ]);
  expect({ live: found.told.live, rebuilt: found.told.rebuilt }).toEqual({ live: [], rebuilt: [] });

  const switched = await rebuilt(chat, { isToSwitch: true });
  expect(switched.differences).toHaveLength(3);
  expect(switched.switched).toMatchObject({ notifications: 0 });
  expect(await row()).toEqual(right);
  const [{ granted } = { granted: "" }] = await chat.database.query<{ granted: string }>(
    "select relacl::text as granted from pg_class where oid = 'state_inboxes'::regclass",
  );
  expect(granted).toMatch(/,=r\//);
  const told = (await triggered(chat)).length;
  await chat.publish(...letter(1), ...letter(2));
  await eventually(async () => expect(await tellings(chat, 2)).toEqual([]));
  await quiet(chat);
  expect(await tellings(chat, 3)).toEqual([toldWithoutMail]);
  expect(differing(await rebuilt(chat))).toEqual(nothing);
  expect(await triggered(chat)).toHaveLength(told + 2);
  expect(await leftovers(chat)).toEqual([]);
});

test("a switch during traffic loses no message and repeats none", { timeout: 90_000 }, async () => {
  const chat = await world({}, SETTINGS);
  await publishPast(chat, 3);
  await using _ = chat.serve();
  await quiet(chat);
  let letters = 0;
  {
    await using _writing = writeOn(async () => chat.publish(...letter(letters++)));
    let atCompared = 0;
    const { switched, ...found } = await rebuilt(chat, { isToSwitch: true, compared: () => (atCompared = letters) });
    const atSwitched = letters;
    expect(differing(found)).toEqual(nothing);
    expect(switched).not.toBeNull();
    expect(atSwitched).toBeGreaterThan(atCompared);
    await eventually(() => expect(letters).toBeGreaterThan(atSwitched + 10));
  }
  await eventually(async () => expect(await tellings(chat, letters)).toEqual([]));
  await quiet(chat);
  expect(await tellings(chat, letters)).toEqual([]);
  const ids = (await triggered(chat)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(differing(await rebuilt(chat))).toEqual(nothing);
});

test(
  "where the live services are stopped, their decisions are compared, and a switch tells the rest",
  { timeout: 240_000 },
  async () => {
    const chat = await world({}, SETTINGS);
    await publishPast(chat, 4);
    await chat.publish(...letter(0));
    {
      await using _ = chat.serve();
      await quiet(chat);
    }
    await chat.publish(unsubscribed(2), ...letter(1), ...letter(2));
    const found = await rebuilt(chat, { isToSwitch: true });
    expect(found).toMatchObject({ live: { isStill: true }, switched: { notifications: 2 } });
    expect(found.lag).toBe(9);
    expect(found.ahead).toBeGreaterThan(0);
    expect(differing(found)).toEqual(nothing);
    await using _ = chat.serve();
    await eventually(async () => expect(await tellings(chat, 3)).toEqual([toldWithoutMail]));
    await quiet(chat);
    expect(await tellings(chat, 3)).toEqual([toldWithoutMail]);
    expect(differing(await rebuilt(chat))).toEqual(nothing);
  },
);
