import { expect, test } from "vitest";
import { countMails } from "../../deploy/local/demo/audit.ts";
import { type Cast, cast } from "../../deploy/local/demo/cast.ts";
import { script, TICK } from "../../deploy/local/demo/script.ts";
import { conversationsService } from "../../services/conversations/service.ts";
import type { LogRecord, NewRecord } from "../../services/domain/log-record.ts";
import type { NotificationEvent } from "../../services/domain/records.ts";
import { type Millis, MINUTE, SECOND } from "../../services/platform/contract/time.ts";
import { SESSION_TTL } from "../../services/inboxes/sessions.ts";
import { inboxesService } from "../../services/inboxes/service.ts";
import { mailerService } from "../../services/mailer/service.ts";
import { openDatabase } from "../../services/platform/adapters/postgres/database.ts";
import { heard } from "../oracle/run.ts";
import { settingsSaid } from "../support/settings.ts";
import { expectAllDecided, expectAllMailed, expectAllSorted, notificationEvents } from "../support/standing.ts";
import { eventually, SINCE_EVER, type World, world } from "../support/world.ts";

const SEED = Number(process.env["SEED"] ?? 20_261_122);
/** Three times the demo's ten people and five rooms, none of whom share a conversation. */
const CASTS = 3;
/** Minutes of their chat; MINUTES sets another number. */
const LENGTH: Millis = Number(process.env["MINUTES"] ?? 10) * MINUTE;
/** Seconds, as in the demo. An odd number, so that no timer is due at the time of a record. */
const SETTINGS = { timeout: 11, settle: 1 };
/** Time after the last record by which every timer has fallen due: sessions have lapsed, and bursts have ended. */
const AFTER: Millis = SESSION_TTL + (SETTINGS.timeout + SETTINGS.settle) * SECOND;
/** Ticks of the chat published in one go. */
const TICKS = 30;

test(
  `after ten minutes without inboxes no mail is about messages read in time, and all others are sent once (SEED=${SEED})`,
  { timeout: 120_000 + LENGTH / 2 },
  async () => {
    const chat = await world({ LOG_LEVEL: "error" }, SETTINGS);
    using mails = countMails(chat.mailbox);
    await using _others = chat.serve([conversationsService, mailerService]);
    const end = Math.floor((Date.now() - AFTER) / TICK) * TICK;
    const life = lifeOf(end - LENGTH, end);
    for (const said of life) await chat.publish(...said);
    await eventually(() => expectAllSorted(chat));
    expect((await notificationEvents(chat)).events).toEqual([]);

    const records = [settingsSaid(SETTINGS, SINCE_EVER), ...life.flat()].map(recordOf);
    const wanted = heard(records, Date.now()).events;
    expect(wanted.length).toBeGreaterThan(100);
    await using _inboxes = chat.serve([inboxesService]);
    await eventually(() => expectAllDecided(chat));
    await eventually(() => expectAllMailed(chat));
    const { events } = await notificationEvents(chat);
    const told = events.filter(({ type }) => type === "TRIGGERED");
    expect(briefly(told)).toEqual(briefly(wanted));
    const said = life.flat();
    expect(told.filter((event) => hasRead(event, said, "any", event.occurredAt))).toEqual([]);

    // A message read after it was due needs no mail, even if the READ lay further down the backlog.
    const superseded = new Set(
      events.flatMap(({ reason, notificationId }) => (reason === "superseded" ? [notificationId] : [])),
    );
    const readSince = new Set(
      told.filter((event) => hasRead(event, said, "all", end)).map(({ notificationId }) => notificationId),
    );
    expect([...superseded].filter((id) => !readSince.has(id))).toEqual([]);
    const sent = told.filter(({ notificationId }) => !superseded.has(notificationId));
    const due = sent.flatMap(({ notificationId, snapshot }) =>
      (snapshot?.recipient.emails ?? []).map((address): [string, number] => [`${notificationId} ${address}`, 1]),
    );
    expect(await mails.counts()).toEqual(new Map(due));
    expect(due.length).toBeGreaterThan(50);
    const needless = sent.filter(
      ({ notificationId, snapshot }) => snapshot?.recipient.emails.length !== 0 && readSince.has(notificationId),
    );
    expect(needless).toEqual([]);
    console.log(
      `${said.length} records (seed ${SEED}): ${told.length} notifications, ${superseded.size} superseded, ${due.length} mails, none of them read before`,
    );
  },
);

test(`no mail of a backlog is sent before all of it is known (SEED=${SEED})`, { timeout: 120_000 }, async () => {
  const chat = await world({ LOG_LEVEL: "error" }, SETTINGS);
  using mails = countMails(chat.mailbox);
  await using _others = chat.serve([conversationsService, mailerService]);
  const end = Math.floor((Date.now() - AFTER) / TICK) * TICK;
  for (const said of lifeOf(end - LENGTH, end)) await chat.publish(...said);
  await eventually(() => expectAllSorted(chat));

  await using commits = await turnstile(chat);
  await using _inboxes = chat.serve([inboxesService]);
  while ((await tellings(chat)) === 0) await commits.next();
  const first = await tellings(chat);
  await eventually(async () => {
    const { all, putOff } = await letters(chat);
    expect([all > 0, putOff]).toEqual([true, all]);
  });
  expect(await mails.counts()).toEqual(new Map());
  await commits.open();
  await eventually(() => expectAllDecided(chat));
  expect(await tellings(chat)).toBeGreaterThan(first);
  await eventually(() => expectAllMailed(chat));
  expect((await mails.counts()).size).toBeGreaterThan(0);
});

/** The number of threads, as `inboxes` has saved them, with a notification. */
const tellings = async ({ database }: World): Promise<number> => {
  const [found] = await database.query<{ count: number }>(
    "select count(*) from state_inboxes where value -> 'toldAt' is not null",
  );
  return found?.count ?? 0;
};

/** The number of mail jobs, and of those that were attempted and put off: such a job is due later than it was saved. */
const letters = async ({ database }: World): Promise<{ readonly all: number; readonly putOff: number }> => {
  const [found] = await database.query<{ all: number; putOff: number }>(
    `select count(*) as all, count(*) filter (where state = 'ready' and run_at > extract(epoch from saved_at) * 1000) as "putOff"
     from jobs where queue = 'mail'`,
  );
  return found ?? { all: 0, putOff: 0 };
};

/**
 * Holds the commits of `inboxes`. `next` lets the waiting one through, if there is one, and `open` lets all through.
 */
const turnstile = async ({ environment }: World) => {
  const database = openDatabase(environment["DATABASE_URL"] ?? "", "tests", { patience: 60_000 });
  const hold = () => {
    const [held, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const transaction = database.transaction(async (connection) => {
      await connection.query("lock table state_inboxes in exclusive mode");
      held.resolve();
      await end.promise;
    });
    const release = async (): Promise<void> => {
      end.resolve();
      await transaction;
    };
    return { isHeld: held.promise, release };
  };
  let current = hold();
  await current.isHeld;
  return {
    async next() {
      const following = hold();
      // PostgreSQL grants a lock in the order of the requests.
      await eventually(async () =>
        expect(
          await database.query(`select 1 from pg_locks join pg_database d on d.oid = database where d.datname = current_database()
               and relation = 'state_inboxes'::regclass and mode = 'ExclusiveLock' and not granted`),
        ).toHaveLength(1),
      );
      await current.release();
      await following.isHeld;
      current = following;
    },
    open: () => current.release(),
    async [Symbol.asyncDispose]() {
      await current.release();
      await database[Symbol.asyncDispose]();
    },
  };
};

/** The records of everybody, in the order of time, in slices. */
const lifeOf = (start: Millis, end: Millis): readonly (readonly NewRecord[])[] => {
  const casts = Array.from({ length: CASTS }, (_none, number): Cast => cast(`-${number}`));
  const scripts = casts.map((each, number) => script(each, SEED + number));
  const stamped = (at: Millis, said: readonly NewRecord[]): readonly NewRecord[] =>
    said.map((one): NewRecord => ({ ...one, timestamp: at }));
  const slices = [
    stamped(
      start,
      scripts.flatMap((one) => one.opening(start)),
    ),
  ];
  for (let at = start + TICK; at < end; at += TICKS * TICK) {
    const times = Array.from({ length: TICKS }, (_none, tick) => at + tick * TICK).filter((time) => time < end);
    slices.push(
      times.flatMap((time) =>
        stamped(
          time,
          scripts.flatMap((one) => one.tick(time)),
        ),
      ),
    );
  }
  return [
    ...slices,
    stamped(
      end,
      scripts.flatMap((one) => one.closing(end)),
    ),
  ];
};

const recordOf = (said: NewRecord): LogRecord =>
  ({ ...said, at: said.timestamp, loggedAt: said.timestamp }) as LogRecord;

const briefly = (told: readonly NotificationEvent[]) =>
  told
    .map(({ id, userId, conversationId, messageIds, occurredAt }) => ({
      id,
      userId,
      conversationId,
      occurredAt,
      messageIds: messageIds.toSorted(),
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));

/**
 * Tells whether the user had by then read any or all of the notification's messages, or written in the conversation after
 * them.
 */
const hasRead = (
  { userId, conversationId, messageIds }: NotificationEvent,
  life: readonly NewRecord[],
  much: "any" | "all",
  by: Millis,
): boolean => {
  const times = life.flatMap(({ topic, value }) =>
    topic === "messages" && value !== null && messageIds.includes(value.messageId) ? [value.occurredAt] : [],
  );
  const sent = much === "any" ? Math.min(...times) : Math.max(...times);
  return life.some(({ topic, value }) => {
    if ((topic !== "messages" && topic !== "presence") || value === null) return false;
    const [who, isRead] =
      topic === "messages"
        ? [value.senderId, value.occurredAt > sent]
        : [value.userId, value.type === "READ" && value.occurredAt >= sent];
    return isRead && who === userId && value.conversationId === conversationId && value.occurredAt <= by;
  });
};
