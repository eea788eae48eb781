import { setTimeout as delay } from "node:timers/promises";
import type { Millis } from "../../../services/platform/contract/time.ts";
import type { Mailbox } from "../mailbox/mailbox.ts";
import type { Delivery } from "../receiver/deliveries.ts";
import type { ExpectedMail } from "./expected.ts";

/** Header by which a mail names its notification. */
const NOTIFICATION = /^X-Whileaway-Notification: *(\S+)/im;
/** Milliseconds between two looks. */
const LOOK_EVERY = 250;

/** What arrived, held against what had to. */
export interface Audit {
  readonly expected: number;
  readonly missing: readonly ExpectedMail[];
  /** Mails of these runs' notifications that nobody expected. */
  readonly unexpected: readonly ExpectedMail[];
  /** Expected ones that came more than once. */
  readonly repeated: readonly ExpectedMail[];
}

const name = ({ notificationId, address }: ExpectedMail): string => `${notificationId} ${address}`;

/** Counts mails by notification and address, from when it is started. */
export const countMails = (
  mailbox: Mailbox,
): { readonly counts: () => Promise<ReadonlyMap<string, number>> } & Disposable => {
  const loggedAt: Promise<string | null>[] = [];
  const stop = mailbox.onMail(({ id, to }) => loggedAt.push(notificationOf(mailbox, id, to[0] ?? "")));
  return {
    async counts() {
      const counts = new Map<string, number>();
      for (const found of await Promise.all(loggedAt))
        if (found !== null) counts.set(found, (counts.get(found) ?? 0) + 1);
      return counts;
    },
    [Symbol.dispose]: stop,
  };
};

const notificationOf = async (mailbox: Mailbox, id: string, address: string): Promise<string | null> => {
  const raw = await mailbox.raw(id);
  const notificationId = raw === undefined ? undefined : NOTIFICATION.exec(raw.toString("latin1"))?.[1];
  return notificationId === undefined ? null : name({ notificationId, address });
};

/** Notifications that were read before they could be mailed, as webhooks say: on a machine that stalls, say. */
export const supersededBy = (webhooks: readonly Pick<Delivery, "type" | "body">[]): ReadonlySet<string> =>
  new Set(
    webhooks
      .filter(({ type }) => type === "notification.suppressed")
      .map(({ body }) => (JSON.parse(body) as { data: { notificationId: string; reason: string } }).data)
      .filter(({ reason }) => reason === "superseded")
      .map(({ notificationId }) => notificationId),
  );

/**
 * Waits until every expected mail has come, `patience` milliseconds at most, and says how it stands.
 * @param superseded notifications whose mails need not come
 */
export const audit = async (
  expected: readonly ExpectedMail[],
  counts: () => Promise<ReadonlyMap<string, number>>,
  superseded: () => ReadonlySet<string>,
  patience: Millis,
): Promise<Audit> => {
  const until = Date.now() + patience;
  const wanted = new Set(expected.map(name));
  for (;;) {
    const arrived = await counts();
    const needless = superseded();
    const missing = expected.filter((mail) => !arrived.has(name(mail)) && !needless.has(mail.notificationId));
    if (missing.length === 0 || Date.now() > until) {
      const repeated = expected.filter((mail) => (arrived.get(name(mail)) ?? 0) > 1);
      return { expected: expected.length, missing, repeated, unexpected: unexpected(arrived, wanted) };
    }
    await delay(LOOK_EVERY);
  }
};

const unexpected = (arrived: ReadonlyMap<string, number>, wanted: ReadonlySet<string>): readonly ExpectedMail[] =>
  [...arrived.keys()]
    .filter((mail) => !wanted.has(mail))
    .map((mail) => {
      const [notificationId = "", address = ""] = mail.split(" ");
      return { notificationId, address };
    });
