import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Random, random } from "../../deploy/local/demo/random.ts";
import { HOUR, type Millis, SECOND } from "../../services/platform/contract/time.ts";
import { isLetter } from "../support/letters.ts";
import { eventually, type World, world } from "../support/world.ts";
import { expectNoQuarrel } from "./lanes.ts";
import type { Order } from "./orders.ts";
import { hasSaid, type Running, startAll } from "./processes.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 300 : 30;
/** Seconds between a letter and its notification: enough that an early notification shows. */
const TIMEOUT = 3;
/** Milliseconds by which a notification may be late on a busy machine. The clock is off by far more. */
const LATE = HOUR / 2;
/** Longest time between two steps of the clock, in milliseconds. */
const LONGEST = 5_000;

/** The steps of the clock, in order. The first is made before the process starts. */
const steps: readonly Millis[] = IS_WHOLE ? [HOUR, -HOUR, -HOUR, 2 * HOUR, -HOUR, HOUR] : [HOUR, -2 * HOUR];

test(
  `a clock that is an hour off, or steps by an hour, delays no notification and sends none early (SEED=${SEED})`,
  { timeout: 240_000 + steps.length * 90_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "info" }, { timeout: TIMEOUT });
    using work = await trial(chat, HISTORIES, { fields: { timeout: TIMEOUT } });
    const right = startAll(chat);
    const wrong = startAll(chat, null, { CLOCK: String(steps[0]) });
    await eventually(() => expect(hasSaid(wrong, "ready")).toBe(true));
    await work.during(stepAgainAndAgain(chat, wrong, random(SEED)));
    // At rest only a consumer's heartbeats show that it is alive.
    await work.idle();
    await step(chat, wrong, -HOUR);
    const { again } = await work.end([right, wrong], [...steps, -HOUR].map(inHours));
    expect(again).toMatchObject({ mails: 0, webhooks: 0 });
    expectInTime(chat);
  },
);

const stepAgainAndAgain = async (chat: World, wrong: Running, dice: Random): Promise<void> => {
  for (const by of steps.slice(1)) {
    await delay(dice.below(LONGEST)); // a drawn moment, not a wait for a fact
    await step(chat, wrong, by);
  }
};

/** Steps the clock of one process. Both processes settle their lanes and go on. */
const step = async (chat: World, { child }: Running, by: Millis): Promise<void> => {
  child.send({ type: "step", by } satisfies Order);
  await expectNoQuarrel(chat);
};

const inHours = (by: Millis): string => `${by < 0 ? "" : "+"}${by / HOUR} h`;

/** The fields of a webhook's body that this test reads. */
interface Told {
  readonly notificationId: string;
  readonly conversationId?: string;
  readonly snapshot?: { readonly conversations: readonly { readonly messages: readonly { occurredAt: string }[] }[] };
}

/**
 * Checks that every letter was told when it was due, and its mail soon after. Every webhook's signature has the right
 * time.
 */
const expectInTime = ({ receiver }: World): void => {
  const { received, verified } = receiver.summary();
  expect(received - verified).toBe(0);
  const all = receiver.deliveries().map(({ type, body, receivedAt }) => {
    const { data } = JSON.parse(body) as { readonly data: Told };
    return { ...data, type, receivedAt };
  });
  const letters = all.filter(({ conversationId = "" }) => isLetter(conversationId));
  const due = new Map(
    letters.flatMap(({ notificationId, snapshot }) =>
      (snapshot?.conversations[0]?.messages ?? []).map(
        ({ occurredAt }) => [notificationId, Date.parse(occurredAt) + TIMEOUT * SECOND] as const,
      ),
    ),
  );
  const late = letters.map(({ type, notificationId, receivedAt }) => ({
    type,
    by: receivedAt - (due.get(notificationId) ?? NaN),
  }));
  expect(late.length).toBeGreaterThan(2 * steps.length);
  expect(late.filter(({ by }) => !(by >= 0 && by <= LATE))).toEqual([]);
};
