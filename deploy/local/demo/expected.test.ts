import { expect, test } from "vitest";
import { at } from "../../../test/support/chat.ts";
import { wholeTopology } from "../../../test/support/memory.ts";
import type { LogRecord, NewRecord } from "../../../services/domain/log-record.ts";
import { noSettings } from "../../../services/domain/role-settings.ts";
import { SESSION_TTL } from "../../../services/inboxes/sessions.ts";
import { type Letter, MAIL_QUEUE, mailer } from "../../../services/mailer/rule.ts";
import { type Millis, SECOND } from "../../../services/platform/contract/time.ts";
import type { Work } from "../../../services/platform/contract/work.ts";
import type { Topology } from "../../../services/platform/memory/topology.ts";
import { cast } from "./cast.ts";
import { type ExpectedMail, expectationOf, keysOf, mailsOf, nameOf, recordsOf } from "./expected.ts";
import { play } from "./play.ts";
import { script } from "./script.ts";
import { demoSettings } from "./settings.ts";

const START = at("12:00");
const SETTINGS = demoSettings(undefined);

/** A request in the middle of the act. */
const MIDDLE = 8;

/** The trouble of a machine with its publishing. */
interface Trouble {
  /** Milliseconds by which each timer is late; below 0, early. */
  readonly late?: Millis;
  /** Milliseconds for which the machine stands still in the middle of the act. */
  readonly stopped?: Millis;
  /** Milliseconds that a record takes from its timestamp to the log. */
  readonly flight?: Millis;
}

/** Plays the demo's act into a log in memory, under a clock that the play moves. */
const playWith = async ({ late = 0, stopped = 0, flight = 0 }: Trouble, seed: number) => {
  const players = cast();
  await using chat = await wholeTopology(SETTINGS, undefined, START);
  await chat.process(mailer, () => noSettings); // the log says them
  const letters = lettersOf(chat);
  let [now, requests] = [START, 0];
  const pass = async (time: Millis): Promise<void> => {
    now += time;
    await chat.advance(now);
  };
  const publish = async (records: readonly NewRecord[]): Promise<void> => {
    if (++requests === MIDDLE) await pass(stopped);
    const timestamp = now;
    if (flight > 0) await pass(flight);
    await chat.publish(...records.map((record): NewRecord => ({ ...record, timestamp })));
  };
  const clock = { now: () => now, wait: (time: Millis) => pass(time + late) };
  const act = await play(script(players, seed), publish, "one act", new AbortController().signal, clock);
  const records = await recordsOf({ log: chat.log, codec: chat.world.codec }, keysOf(players));
  const expectation = expectationOf(records, act, SETTINGS);
  await chat.advance(expectation.dueBy);
  return { act, records, expectation, arrived: named(letters) };
};

/** Collects letters in place of a mail server. */
const lettersOf = (chat: Topology): readonly ExpectedMail[] => {
  const letters: ExpectedMail[] = [];
  const attempt: Work["attempt"] = ({ payload }) => {
    const { address, event } = payload as Letter;
    letters.push({ notificationId: event.notificationId, address });
    return Promise.resolve({ settlement: { state: "done" }, publish: [], detail: {} });
  };
  chat.work({ queue: MAIL_QUEUE, concurrency: 5, attempt });
  return letters;
};

const named = (mails: readonly ExpectedMail[]): readonly string[] => mails.map(nameOf).toSorted();

/** The mails that follow if each record had been logged at its own time, as the demo once took them. */
const scripted = (records: readonly LogRecord[], until: Millis): readonly string[] =>
  named(
    mailsOf(
      records.map((record): LogRecord => {
        const time = record.value !== null && "occurredAt" in record.value ? record.value.occurredAt : record.loggedAt;
        return { ...record, at: time, loggedAt: time };
      }),
      until,
    ),
  );

const troubles: readonly (readonly [name: string, trouble: Trouble])[] = [
  ["in time", {}],
  ["1 ms early", { late: -1 }],
  ["3 s late", { late: 3 * SECOND }],
  ["stopped for 10 s in the middle", { stopped: 10 * SECOND }],
  ["stopped for longer than a session lives", { stopped: SESSION_TTL + 5 * SECOND }],
  ["1.3 s late on the log", { flight: 1_300 }],
];

/** The demo's own seed, and others whose acts tell people just before or after something happens. */
const SEEDS = [7, 1, 12, 18];

test.each(troubles)(
  "an act published %s leads to the mails that its records on the log require",
  async (_, trouble) => {
    for (const seed of SEEDS) {
      const { act, records, expectation, arrived } = await playWith(trouble, seed);
      expect(records).toHaveLength(act.records + 1); // the settings
      const required = named(expectation.required);
      const allowed = new Set(expectation.allowedBy(expectation.dueBy).map(nameOf));
      expect(required.length).toBeGreaterThan(5);
      expect(required.filter((mail) => !arrived.includes(mail))).toEqual([]);
      expect(arrived.filter((mail) => !allowed.has(mail))).toEqual([]);
      expect(new Set(arrived).size).toBe(arrived.length);
    }
  },
);

test.each(troubles.slice(1))("an act published %s leads to other mails than its script expects", async (_, trouble) => {
  const differing = [];
  for (const seed of SEEDS) {
    const { records, expectation, arrived } = await playWith(trouble, seed);
    if (String(scripted(records, expectation.dueBy)) !== String(arrived)) differing.push(seed);
  }
  expect(differing).not.toEqual([]);
});

test("an act published in time leaves no mail open", async () => {
  const { records, expectation, arrived } = await playWith({}, SEEDS[0] ?? 0);
  expect(named(expectation.required)).toEqual(arrived);
  expect(new Set(expectation.allowedBy(expectation.dueBy).map(nameOf))).toEqual(new Set(arrived));
  expect(scripted(records, expectation.dueBy)).toEqual(arrived);
});

test("only some notifications of an act are about conversations that their recipients read later", async () => {
  const { expectation } = await playWith({}, SEEDS[0] ?? 0);
  const ids = new Set(expectation.required.map(({ notificationId }) => notificationId));
  expect(expectation.readLater.size).toBeGreaterThan(0);
  expect([...ids].filter((id) => !expectation.readLater.has(id)).length).toBeGreaterThan(0);
});

test("an expectation reads no record of other people", async () => {
  const players = cast("-a");
  await using chat = await wholeTopology(SETTINGS, undefined, START);
  await chat.publish(...script(cast("-b"), SEEDS[0] ?? 0).opening(START));
  const deps = { log: chat.log, codec: chat.world.codec };
  expect((await recordsOf(deps, keysOf(players))).map(({ topic }) => topic)).toEqual(["settings"]);
});
