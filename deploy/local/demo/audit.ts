import { setTimeout as delay } from "node:timers/promises";
import type { Millis } from "../../../services/platform/contract/time.ts";
import type { Mailbox } from "../mailbox/mailbox.ts";
import type { Delivery } from "../receiver/deliveries.ts";
import { type Expectation, type ExpectedMail, nameOf } from "./expected.ts";

/** Header by which a mail names its notification. */
const NOTIFICATION = /^X-Whileaway-Notification: *(\S+)/im;
/** Milliseconds between two looks. */
const LOOK_EVERY = 250;

/** The mails of an act that arrived, held against those that had to. */
export interface Audit {
  readonly missing: readonly ExpectedMail[];
  /** Required mails that webhooks report as superseded, and whose recipients have read, by the records, what they are about. */
  readonly superseded: readonly ExpectedMail[];
  /** Mails to people of the act that do not follow from its records. */
  readonly unexpected: readonly ExpectedMail[];
  /** Mails that came more than once. */
  readonly repeated: readonly ExpectedMail[];
}

/** The ways to learn of what arrived. */
export interface Arrivals {
  /** Mails by name, and how often each came. */
  counts(): Promise<ReadonlyMap<string, number>>;
  /** Notifications that the mailer reports as read before their mails were sent. */
  superseded(): ReadonlySet<string>;
  /** Tells if the address is one of the act's people's. */
  isOurs(address: string): boolean;
}

/** Counts mails by notification and address, from when it is started. */
export const countMails = (
  mailbox: Mailbox,
): { readonly counts: () => Promise<ReadonlyMap<string, number>> } & Disposable => {
  const names: Promise<string | null>[] = [];
  const stop = mailbox.onMail(({ id, to }) => names.push(notificationOf(mailbox, id, to[0] ?? "")));
  return {
    async counts() {
      const counts = new Map<string, number>();
      for (const found of await Promise.all(names)) if (found !== null) counts.set(found, (counts.get(found) ?? 0) + 1);
      return counts;
    },
    [Symbol.dispose]: stop,
  };
};

const notificationOf = async (mailbox: Mailbox, id: string, address: string): Promise<string | null> => {
  const raw = await mailbox.raw(id);
  const notificationId = raw === undefined ? undefined : NOTIFICATION.exec(raw.toString("latin1"))?.[1];
  return notificationId === undefined ? null : nameOf({ notificationId, address });
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
 * Waits until every required mail has come, and says how it stands. The wait also ends when the signal aborts, or when
 * all has fallen due and no mail has come for `patience` milliseconds of looking. A process that stands still looks at
 * nothing, and so loses no patience.
 */
export const audit = async (
  expectation: Expectation,
  arrivals: Arrivals,
  patience: Millis,
  signal: AbortSignal,
): Promise<Audit> => {
  let [seen, idle] = [0, 0];
  for (;;) {
    const arrived = await arrivals.counts();
    const now = Date.now();
    if (arrived.size > seen || now < expectation.dueBy) [seen, idle] = [arrived.size, 0];
    const isThere = absent(expectation, arrived, arrivals.superseded()).missing.length === 0;
    if (isThere || signal.aborted || idle > patience) return judge(expectation, arrived, arrivals, now);
    await delay(LOOK_EVERY, undefined, { signal }).catch(() => undefined); // aborted: the next look is the last
    idle += LOOK_EVERY;
  }
};

const absent = (
  { required, readLater }: Pick<Expectation, "required" | "readLater">,
  arrived: ReadonlyMap<string, number>,
  reported: ReadonlySet<string>,
): Pick<Audit, "missing" | "superseded"> => {
  const needless = new Set([...reported].filter((id) => readLater.has(id)));
  const all = required.filter((mail) => !arrived.has(nameOf(mail)));
  return {
    missing: all.filter(({ notificationId }) => !needless.has(notificationId)),
    superseded: all.filter(({ notificationId }) => needless.has(notificationId)),
  };
};

const judge = (
  expectation: Expectation,
  arrived: ReadonlyMap<string, number>,
  { superseded, isOurs }: Arrivals,
  now: Millis,
): Audit => {
  const allowed = new Set(expectation.allowedBy(now).map(nameOf));
  const ours = [...arrived.keys()].map(mailOf).filter((mail) => allowed.has(nameOf(mail)) || isOurs(mail.address));
  return {
    ...absent(expectation, arrived, superseded()),
    unexpected: ours.filter((mail) => !allowed.has(nameOf(mail))),
    repeated: ours.filter((mail) => (arrived.get(nameOf(mail)) ?? 0) > 1),
  };
};

const mailOf = (name: string): ExpectedMail => {
  const [notificationId = "", address = ""] = name.split(" ");
  return { notificationId, address };
};
