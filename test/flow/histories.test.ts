import { expect, test } from "vitest";
import { random } from "../../deploy/local/demo/random.ts";
import { settings } from "../oracle/history.ts";
import { members } from "../support/members.ts";
import { expected, histories, inShort, together } from "../support/past.ts";
import { plain } from "../support/settings.ts";
import { deadLetters, expectAllDecided, notificationEvents, progress } from "../support/standing.ts";
import { eventually, SINCE_EVER, world } from "../support/world.ts";

/**
 * Histories in a run of all tests, and changes among the members that work through them. CHANGES=12 sets another
 * number.
 */
const HISTORIES = Number(process.env["HISTORIES"] ?? 1_000);
const CHANGES = Number(process.env["CHANGES"] ?? 3);
/** Seed of the histories, and of the changes. */
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

test(
  `histories on the real broker and database lead to the rule's notifications, whichever members come and go (HISTORIES=${HISTORIES} CHANGES=${CHANGES} SEED=${SEED})`,
  { timeout: 120_000 + HISTORIES * 1_000 + CHANGES * 60_000 },
  async () => {
    const all = histories(HISTORIES, SEED);
    const said = together(all);
    const wanted = expected(all, [settings(SINCE_EVER, "default", plain)], Date.now());
    const chat = await world({ LOG_LEVEL: "error" });
    // All records are published before any member reads: a topic that is read to its end counts as read up to the
    // present.
    await chat.publish(...said);
    const dice = random(SEED);
    const moments = Array.from({ length: CHANGES }, () => dice.next()).toSorted((a, b) => a - b);
    const group = await members(chat, dice);
    const begun = Date.now();
    const changes: string[] = [];
    for (const moment of moments) {
      await eventually(async () => expect(await progress(chat)).toBeGreaterThanOrEqual(moment));
      const percent = Math.floor(100 * (await progress(chat)));
      changes.push(`${await group.change()} at ${percent} %`);
    }
    await eventually(() => expectAllDecided(chat));
    const seconds = Math.round((Date.now() - begun) / 1_000);
    await group.stop();

    expect(await deadLetters(chat)).toEqual([]);
    const { events, repeats } = await notificationEvents(chat);
    console.log(
      `${HISTORIES} histories (seed ${SEED}): ${said.length} records, ${events.length} notifications in ${seconds} s, ${repeats} of them published twice; ${changes.join(", ")}`,
    );
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["TRIGGERED"]));
    expect(inShort(events.map((event) => ({ ...event, at: event.occurredAt })))).toEqual(inShort(wanted));
    expect(wanted.length).toBeGreaterThan(HISTORIES);
  },
);
