import { expect } from "vitest";
import type { Delivery } from "../../deploy/local/receiver/deliveries.ts";
import { countMails } from "../../deploy/local/demo/audit.ts";
import type { NotificationEvent } from "../../services/domain/records.ts";
import { webhookTypes } from "../../services/webhooks/body.ts";
import type { Triggered } from "../oracle/judge.ts";
import { isLetter } from "../support/letters.ts";
import { inShort } from "../support/past.ts";
import { deadLetters, expectAllDecided, expectAllMailed, notificationEvents } from "../support/standing.ts";
import { eventually, type World } from "../support/world.ts";

/** Counts of one run. The checker has verified each of them. */
export interface Checked {
  readonly notifications: number;
  readonly events: number;
  readonly mails: number;
  readonly suppressed: number;
  readonly webhooks: number;
  /** Events published twice, and mails and webhooks that came twice. Each repeat had the id of the first. */
  readonly again: { readonly events: number; readonly mails: number; readonly webhooks: number };
  /** Attempts of jobs beyond the first. */
  readonly reruns: number;
}

/** Compares the outcome of a workload with the rule's decisions. */
export interface Checker extends Disposable {
  /** Resolves when the services have no work left. */
  idle(): Promise<void>;
  /**
   * Checks that nothing is missing, nothing was decided twice and everything is in order, and that every repeat has the
   * id of the first.
   * @param dead expected number of dead letters
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
        expect(chat.receiver.summary().distinct).toBe(events.length); // an answer may still be on its way
      }),
    async check(wanted, dead) {
      expect(await deadLetters(chat)).toHaveLength(dead);
      const { events, repeats } = await notificationEvents(chat);
      const triggered = events.filter(({ type }) => type === "TRIGGERED");
      expect(inShort(triggered.map(asWanted))).toEqual(inShort(wanted));
      for (const own of Map.groupBy(triggered, ({ userId }) => userId).values()) expectOrder(own);
      for (const own of Map.groupBy(events, ({ notificationId }) => notificationId).values())
        expect(own[0]?.type).toBe("TRIGGERED"); // the events that follow from a notification come after it
      const counts = await mails.counts();
      const suppressed = expectMails(events, counts);
      const { distinct, repeated: webhooksAgain } = chat.receiver.summary();
      expect(distinct).toBe(events.length);
      expectWebhooks(events, chat.receiver.deliveries());
      const attempts = await attemptsOf(chat);
      // Two windows can't be closed: between the answer of the mail server, or of the endpoint, and the row that
      // records it.
      const came = [
        ...[...counts].map(([mail, count]) => [`mail ${mail.replace(" ", "/")}`, count] as const),
        ...chat.receiver.deliveries().map(({ id, seen }) => [`webhooks ${id}`, seen] as const),
      ];
      expect(came.filter(([job, count]) => count > (attempts.get(job) ?? 0))).toEqual([]);
      return {
        notifications: triggered.length,
        events: events.length,
        mails: counts.size,
        suppressed,
        webhooks: distinct,
        again: {
          events: repeats,
          mails: [...counts.values()].reduce((sum, count) => sum + count - 1, 0),
          webhooks: webhooksAgain,
        },
        reruns: [...attempts.values()].reduce((sum, count) => sum + count - 1, 0),
      };
    },
    [Symbol.dispose]: () => mails[Symbol.dispose](),
  };
};

/** The number of attempts by job. A key is the queue, and the mail or the event of the webhook. */
const attemptsOf = async ({ database }: World): Promise<ReadonlyMap<string, number>> => {
  const jobs = await database.query<{ queue: string; id: string; attempts: number }>(
    "select queue, id, attempts from jobs where state = 'done'",
  );
  return new Map(
    jobs.map(({ queue, id, attempts }) => [`${queue} ${queue === "mail" ? id : id.split("/", 1)[0]}`, attempts]),
  );
};

/** Checks that each webhook is of an event on the topic, and has the same body each time that it came. */
const expectWebhooks = (events: readonly NotificationEvent[], deliveries: readonly Delivery[]): void => {
  const types = new Map<string, string>(events.map(({ id, type }) => [id, webhookTypes[type]]));
  const bodies = new Map(deliveries.map(({ id, body }) => [id, body]));
  expect(deliveries.filter(({ id, type, body }) => type !== types.get(id) || body !== bodies.get(id))).toEqual([]);
};

const asWanted = (event: NotificationEvent): Triggered => ({
  ...event,
  at: isLetter(event.conversationId) ? 0 : event.occurredAt,
});

/** Checks that one recipient's notifications come in the order of their times. */
const expectOrder = (told: readonly NotificationEvent[]): void => {
  const times = told.map(({ occurredAt }) => occurredAt);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
};

/**
 * Checks that each address of each notification has its mail and a SENT event, or a SUPPRESSED event. Returns the
 * number of mails that were suppressed.
 */
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
