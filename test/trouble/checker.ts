import { expect } from "vitest";
import { countMails } from "../../deploy/local/demo/audit.ts";
import type { NotificationEvent } from "../../services/core/records.ts";
import type { Triggered } from "../judge/judge.ts";
import { isLetter } from "../support/letters.ts";
import { inShort } from "../support/past.ts";
import { deadLetters, expectAllDecided, expectAllMailed, notificationEvents } from "../support/standing.ts";
import { eventually, type World } from "../support/world.ts";

/** What a run came to, in numbers; every one of them was looked at. */
export interface Checked {
  readonly notifications: number;
  readonly events: number;
  readonly mails: number;
  readonly suppressed: number;
  readonly webhooks: number;
  /** Events published twice, mails and webhooks that came twice: each with the id of the first. */
  readonly again: { readonly events: number; readonly mails: number; readonly webhooks: number };
  /** Attempts that were begun anew. */
  readonly reruns: number;
}

/** Holds what became of a workload against what the rule says of it. */
export interface Checker extends Disposable {
  /** Resolves when services have nothing left to do. */
  idle(): Promise<void>;
  /**
   * Nothing is missing, nothing was decided twice, all is in order, and what came again came with its first id.
   * @param dead how many dead letters there must be
   */
  check(wanted: readonly Triggered[], dead: number): Promise<Checked>;
}

export const checker = (chat: World): Checker => {
  const mails = countMails(chat.mailbox);
  return {
    idle: () =>
      eventually(async () => {
        await expectAllDecided(chat);
        await expectAllMailed(chat);
        const [open] = await chat.database.query<{ jobs: number; entries: number }>(
          `select (select count(*) from jobs where state = 'ready') as jobs, (select count(*) from outbox) as entries`,
        );
        expect(open).toEqual({ jobs: 0, entries: 0 });
        const { events } = await notificationEvents(chat);
        expect(chat.receiver.summary().distinct).toBe(events.length); // an answer may be on its way
      }),
    async check(wanted, dead) {
      expect(await deadLetters(chat)).toHaveLength(dead);
      const { events, repeats } = await notificationEvents(chat);
      const triggered = events.filter(({ type }) => type === "TRIGGERED");
      expect(inShort(triggered.map(asWanted))).toEqual(inShort(wanted));
      for (const own of Map.groupBy(triggered, ({ userId }) => userId).values()) expectOrder(own);
      const counts = await mails.counts();
      const suppressed = expectMails(events, counts);
      const repeated = [...counts.values()].filter((count) => count > 1).length;
      const { distinct, repeated: webhooksAgain } = chat.receiver.summary();
      expect(distinct).toBe(events.length);
      const [{ reruns } = { reruns: 0 }] = await chat.database.query<{ reruns: number }>(
        "select coalesce(sum(attempts - 1), 0) as reruns from jobs where state = 'done'",
      );
      // The two windows that nobody can close: between the answer of a mail server or an endpoint, and the row about it.
      expect(repeated + webhooksAgain).toBeLessThanOrEqual(reruns);
      return {
        notifications: triggered.length,
        events: events.length,
        mails: counts.size,
        suppressed,
        webhooks: distinct,
        again: { events: repeats, mails: repeated, webhooks: webhooksAgain },
        reruns,
      };
    },
    [Symbol.dispose]: () => mails[Symbol.dispose](),
  };
};

const asWanted = (event: NotificationEvent): Triggered => ({
  ...event,
  at: isLetter(event.conversationId) ? 0 : event.occurredAt,
});

/** Of one recipient, who is told of what comes later later. */
const expectOrder = (told: readonly NotificationEvent[]): void => {
  const times = told.map(({ occurredAt }) => occurredAt);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
};

/** Each address of each notification got its mail, and that is said, or it is said why not; returns how many got none. */
const expectMails = (events: readonly NotificationEvent[], counts: ReadonlyMap<string, number>): number => {
  const addressed = events.flatMap(({ type, notificationId, snapshot }) =>
    type === "TRIGGERED" ? (snapshot?.recipient.emails ?? []).map((address) => `${notificationId} ${address}`) : [],
  );
  const told = (type: NotificationEvent["type"]) =>
    events.flatMap((event) => (event.type === type ? [`${event.notificationId} ${event.email ?? ""}`] : []));
  const [sent, suppressed] = [told("SENT"), new Set(told("SUPPRESSED"))];
  expect([...counts.keys()].toSorted()).toEqual(sent.toSorted());
  const without = addressed.filter((mail) => suppressed.has(mail) || suppressed.has(`${mail.split(" ")[0]} `));
  expect([...sent, ...without].toSorted()).toEqual(addressed.toSorted());
  return without.length;
};
