import { expect, test } from "vitest";
import { eventId, type NotificationId } from "../domain/ids.ts";
import { inboxRowKey } from "../domain/inbox-rows.ts";
import { listen } from "../platform/runtime/facts.ts";
import type { Answer } from "./smtp/reply.ts";
import { conversation, grace, message, NOON, person, triggered } from "./content/notification.fixture.ts";
import type { Letter } from "./rule.ts";
import type { Mail } from "./content/mail.ts";
import { type MailClient, smtpTimeouts } from "./smtp/client.ts";
import { renderer } from "./content/render.ts";
import { readTemplates } from "./content/templates.ts";
import { mailing } from "./work.ts";

const render = renderer(await readTemplates());
const event = triggered([conversation("Launch plan", [message(person("Ada"), "Hello")])], grace);
const payload: Letter = { address: "grace@example.com", event, loggedAt: NOON };
const never = new AbortController().signal;

/** The mailer's work with a mail server that gives one answer; `mails` are the mails it was sent. */
const mailerWith = (
  answer: Answer,
  rows: Readonly<Record<string, unknown>> = {},
  loggedAt = NOON,
  { watermark = NOON, choices = loggedAt } = {},
) => {
  const mails: Mail[] = [];
  const mailClient: MailClient = {
    async send(mail) {
      mails.push(mail);
      return answer;
    },
    async [Symbol.asyncDispose]() {},
  };
  const work = mailing({
    mailClient,
    render,
    lookUp: async (lookups) => lookups.map(({ processor, key }) => rows[`${processor} ${key}`]),
    flowWatermark: async () => watermark,
    hasChoicesOf: async (at) => at <= choices,
    concurrency: 3,
    clock: { now: () => NOON + 5 },
    chance: () => 0,
    branding: { productName: "Chatterbox", joinUrl: "https://chat.example.com/c/{conversationId}" },
    sender: { from: { name: "Chat", address: "chat@example.com" }, domain: "mail.example.com" },
  });
  const attempt = (number: number) =>
    // The payload passes through JSON, as in the store.
    work.attempt(
      {
        queue: "mail",
        id: "n-1/a",
        attempt: number,
        token: "t",
        payload: JSON.parse(JSON.stringify({ ...payload, loggedAt })) as unknown,
      },
      never,
      () => undefined,
    );
  return { mails, work, attempt };
};

const refused = { kind: "refused", code: 451, enhanced: null, perhapsTaken: false } as const;

test("every attempt of a letter sends the same mail once", async () => {
  const { mails, attempt } = mailerWith({ ...refused, stage: "rcpt", text: "451 later" });
  expect((await attempt(1)).settlement).toMatchObject({ state: "retry", runAt: NOON + 5 + 30_000 });
  await attempt(2);
  expect(mails).toHaveLength(2);
  expect(mails[1]).toEqual(mails[0]);
  expect(mails[0]).toMatchObject({ to: { name: "Grace Hopper", address: "grace@example.com" }, date: NOON });
  expect(mails[0]?.messageId).toMatch(/@mail\.example\.com>$/);
});

test("an accepted letter is done, and SENT is published", async () => {
  const { attempt } = mailerWith({ kind: "accepted", response: "250 Ok", queueId: null });
  const { settlement, publish } = await attempt(1);
  expect(settlement).toEqual({ state: "done" });
  expect(publish).toMatchObject([
    { topic: "notifications", key: "grace", value: { type: "SENT", occurredAt: NOON + 5 } },
  ]);
});

test("a letter from a backlog waits until its recipient's read positions are known", async () => {
  const accepted = { kind: "accepted", response: "250 Ok", queueId: null } as const;
  const [published, now] = [NOON + 60_000, NOON + 5];
  const early = mailerWith(accepted, {}, published, { watermark: published - 1 });
  expect(await early.attempt(1)).toMatchObject({ settlement: { state: "put off", runAt: now + 1_000 }, publish: [] });
  expect(early.mails).toEqual([]);
  expect((await mailerWith(accepted, {}, published, { watermark: published }).attempt(1)).settlement).toEqual({
    state: "done",
  });
  expect((await mailerWith(accepted, {}, NOON + 5_000, { watermark: -1 }).attempt(1)).settlement).toEqual({
    state: "done",
  });
});

test("a letter waits until every choice logged before it is known", async () => {
  const { mails, attempt } = mailerWith({ kind: "accepted", response: "250 Ok", queueId: null }, {}, NOON, {
    choices: NOON - 1,
  });
  expect(await attempt(1)).toMatchObject({ settlement: { state: "put off", runAt: NOON + 5 + 1_000 }, publish: [] });
  expect(mails).toEqual([]);
});

test("a letter whose messages were read meanwhile is suppressed, with its reason", async () => {
  const read = { [`inboxes ${inboxRowKey("t", "grace", "c-1")}`]: { type: "thread", readUntil: NOON } };
  const { mails, attempt } = mailerWith({ kind: "accepted", response: "250 Ok", queueId: null }, read);
  const { settlement, publish, detail } = await attempt(1);
  expect(mails).toEqual([]);
  expect(settlement).toEqual({ state: "done" });
  expect(publish).toMatchObject([
    {
      topic: "notifications",
      key: "grace",
      value: {
        id: eventId("n-1" as NotificationId, "SUPPRESSED", "grace@example.com"),
        type: "SUPPRESSED",
        reason: "superseded",
        email: "grace@example.com",
      },
    },
    {
      topic: "ledger",
      key: "grace",
      value: { entries: [{ verdict: "SUPPRESSED", facts: { email: "grace@example.com" } }] },
    },
  ]);
  expect(detail).toMatchObject({ verdict: "suppressed", reason: "superseded", email: "grace@example.com" });
});

test("a fault of our configuration is announced as stumbled", async () => {
  const announced: string[] = [];
  using _ = listen("stumbled", ({ loop, error }) => announced.push(`${loop}: ${error.message}`));
  await mailerWith({ ...refused, stage: "rcpt", text: "451 later" }).attempt(1);
  await mailerWith({ ...refused, stage: "auth", code: 535, text: "535 wrong password" }).attempt(1);
  expect(announced).toEqual([
    "mail: the mail server refuses us, not the recipient; check SMTP_URL and MAIL_FROM: 535 wrong password",
  ]);
});

test("an attempt may take longer than connecting, the greeting and one reply together", () => {
  const { connect, greeting, reply, attempt } = smtpTimeouts;
  expect(attempt).toBeGreaterThan(connect + greeting + reply);
});
