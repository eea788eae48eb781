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
/** Seconds between a letter and its notification: such that one that is early is seen. */
const TIMEOUT = 3;
/** Milliseconds by which a notification may be late on a machine that has other things to do; far less than a clock is off. */
const LATE = HOUR / 2;
/** Milliseconds for which things are well before the clock steps again, at most. */
const LONGEST = 5_000;

/** By how much a clock steps, one after the other; the first before its process starts. */
const steps: readonly Millis[] = IS_WHOLE ? [HOUR, -HOUR, -HOUR, 2 * HOUR, -HOUR, HOUR] : [HOUR, -2 * HOUR];

test(
  `a clock that is an hour off, or steps by one, costs nothing and nobody is told early or late (SEED=${SEED})`,
  { timeout: 240_000 + steps.length * 90_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "info" }, { timeout: TIMEOUT });
    using work = await trial(chat, HISTORIES, { fields: { timeout: TIMEOUT } });
    const right = startAll(chat);
    const wrong = startAll(chat, null, { CLOCK: String(steps[0]) });
    await eventually(() => expect(hasSaid(wrong, "ready")).toBe(true));
    await work.during(stepAgainAndAgain(chat, wrong, random(SEED)));
    // At rest nothing but a consumer's own signs of life says that it lives.
    await work.idle();
    await step(chat, wrong, -HOUR);
    const { again } = await work.end([right, wrong], [...steps, -HOUR].map(inHours));
    expect(again).toMatchObject({ mails: 0, webhooks: 0 });
    expectInTime(chat);
  },
);

const stepAgainAndAgain = async (chat: World, wrong: Running, dice: Random): Promise<void> => {
  for (const by of steps.slice(1)) {
    await delay(dice.below(LONGEST)); // not a wait for facts: the moments are what is drawn
    await step(chat, wrong, by);
  }
};

/** Its clock steps; both go on with what they have, once they have settled it. */
const step = async (chat: World, { child }: Running, by: Millis): Promise<void> => {
  child.send({ type: "step", by } satisfies Order);
  await expectNoQuarrel(chat);
};

const inHours = (by: Millis): string => `${by < 0 ? "" : "+"}${by / HOUR} h`;

/** What a webhook says of a notification, as far as it is looked at. */
interface Told {
  readonly notificationId: string;
  readonly conversationId?: string;
  readonly snapshot?: { readonly conversations: readonly { readonly messages: readonly { occurredAt: string }[] }[] };
}

/** Every letter was told when it was due, and that its mail was sent soon after; every webhook's signature was of its time. */
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
