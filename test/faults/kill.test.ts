import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { countMails, supersededBy } from "../../deploy/local/demo/audit.ts";
import { cast } from "../../deploy/local/demo/cast.ts";
import { mailsOf, recordsOf } from "../../deploy/local/demo/expected.ts";
import { play } from "../../deploy/local/demo/play.ts";
import { random } from "../../deploy/local/demo/random.ts";
import { script } from "../../deploy/local/demo/script.ts";
import { DAY, SECOND } from "../../services/platform/contract/time.ts";
import { letter } from "../support/letters.ts";
import { expectAllDecided, expectAllMailed, expectAllPosted } from "../support/standing.ts";
import { eventually, type World, world } from "../support/world.ts";
import { startAll } from "./processes.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

/**
 * Kills in a run of all tests; KILLS=10 sets another number. The seed of their moments is printed, and SEED sets it.
 */
const KILLS = Number(process.env["KILLS"] ?? (IS_WHOLE ? 5 : 2));
const SETTINGS = { timeout: 5 };
/** Milliseconds that a process lives before it is killed: a minimum, and a range above it. */
const SHORTEST_LIFE = 1_500;
const MORE_LIFE = IS_WHOLE ? 14_000 : 6_000;

/** Kills process after process at moments that the seed draws. Letters are written meanwhile. */
const killAgainAndAgain = async (chat: World): Promise<readonly NewRecord[]> => {
  const dice = random(SEED);
  const letters: NewRecord[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const { child, end } = startAll(chat);
    // Drawn moments, not waits for facts. Some hit a process that starts, most hit one that works.
    const until = Date.now() + SHORTEST_LIFE + dice.below(MORE_LIFE);
    while (Date.now() < until) {
      const written = letter(letters.length);
      letters.push(...written);
      await chat.publish(...written);
      await delay(dice.below(SECOND));
    }
    child.kill("SIGKILL");
    await end;
  }
  return letters;
};

test(
  `kill -9 of all services at random moments loses no mail and repeats none (KILLS=${KILLS} SEED=${SEED})`,
  { timeout: (KILLS + 3) * 60_000 },
  async () => {
    const chat = await world({}, SETTINGS);
    using mails = countMails(chat.mailbox);
    const stop = new AbortController();
    const playing = play(script(cast(), SEED), (records) => chat.publish(...records), "endless", stop.signal);
    const letters = await killAgainAndAgain(chat);
    stop.abort();
    await playing;
    const records = await recordsOf(chat, new Set(letters.map(({ key }) => key)));
    const expected = mailsOf(records, Date.now() + DAY);
    expect(expected).toHaveLength(letters.length / 4);

    const last = startAll(chat);
    await eventually(async () => {
      await expectNothingLeft(chat);
      const counts = await mails.counts();
      expect(expected.filter(({ notificationId, address }) => !counts.has(`${notificationId} ${address}`))).toEqual([]);
      await expectNothingLeft(chat); // an event on the topic at the first look has reached everybody at the second
      expect(missingMails(chat, counts)).toEqual([]); // the outcome of a mail may still be on its way to the receiver
    });
    last.child.kill("SIGTERM");
    expect(await last.end).toEqual({ code: 0, signal: null });
    await expectEachOnce(chat, await mails.counts());
  },
);

/** Resolves when every record is folded and nothing is left to do or publish, nor falls due within a day. */
const expectNothingLeft = async (chat: World): Promise<void> => {
  await expectAllDecided(chat);
  await expectAllMailed(chat);
  await expectAllPosted(chat);
  const [open] = await chat.database.query<{ jobs: number; entries: number; timers: number }>(
    `select (select count(*) from jobs where state = 'ready') as jobs, (select count(*) from outbox) as entries,
            (select count(*) from state_inboxes where due < extract(epoch from now()) * 1000 + 86400000) as timers`,
  );
  expect(open).toEqual({ jobs: 0, entries: 0, timers: 0 });
};

/** The mails that TRIGGERED events ask for: one for each address. */
const wantedMails = ({ receiver }: World): readonly string[] =>
  receiver.deliveries().flatMap(({ type, body }) => {
    if (type !== "notification.triggered") return [];
    const { data } = JSON.parse(body) as {
      data: { notificationId: string; snapshot: { recipient: { emails: string[] } } };
    };
    return data.snapshot.recipient.emails.map((address) => `${data.notificationId} ${address}`);
  });

/** The wanted mails that neither came nor were read before they could be sent. */
const missingMails = (chat: World, counts: ReadonlyMap<string, number>): readonly string[] => {
  const superseded = supersededBy(chat.receiver.deliveries());
  return wantedMails(chat).filter((mail) => !counts.has(mail) && !superseded.has(mail.split(" ", 1)[0] ?? ""));
};

/**
 * Checks that every TRIGGERED event led to its mails, that nothing else was mailed, and that each event led to one
 * webhook.
 */
const expectEachOnce = async (chat: World, counts: ReadonlyMap<string, number>): Promise<void> => {
  const wanted = new Set(wantedMails(chat));
  expect([...counts.keys()].filter((mail) => !wanted.has(mail))).toEqual([]);
  expect(missingMails(chat, counts)).toEqual([]);
  // Two windows can't be closed: a process killed after the mail server's 250 to the final dot, or the endpoint's 200,
  // and before the row that records it. Then the mail comes again with the same Message-ID, or the webhook with the
  // same id.
  const repeated = [...counts.values()].filter((count) => count > 1).length;
  const { distinct, repeated: again } = chat.receiver.summary();
  const [{ reruns } = { reruns: 0 }] = await chat.database.query<{ reruns: number }>(
    `select coalesce(sum(attempts - 1), 0) as reruns from jobs where state = 'done'`,
  );
  console.log(
    `${KILLS} kills (seed ${SEED}): ${counts.size} mails, ${repeated} of them twice; ${distinct} webhooks, ${again} again; ${reruns} attempts begun anew`,
  );
  expect(repeated + again).toBeLessThanOrEqual(reruns);
};
