import { describe, expect, test } from "vitest";
import { eventId } from "../domain/ids.ts";
import type { NotificationEvent } from "../domain/records.ts";
import { mailRetries } from "../domain/retry.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../platform/contract/time.ts";
import { enhancedCode, type Refused, replyCode, type Stage } from "./smtp/reply.ts";
import { conversation, grace, message, NOON, person, triggered } from "./content/notification.fixture.ts";
import { settle } from "./settle.ts";

const event = triggered([conversation("Launch plan", [message(person("Ada"), "Hello")])], grace);
const letter = { address: "grace@example.com", event, loggedAt: NOON };
const patience = mailRetries.reduce((sum, wait) => sum + wait, 0);

const refused = (stage: Stage, text: string, more: Partial<Refused> = {}): Refused => ({
  kind: "refused",
  stage,
  text,
  code: replyCode(text),
  enhanced: enhancedCode(text),
  perhapsTaken: false,
  ...more,
});
const broken = refused("connect", "connect ECONNREFUSED");
const after = (answer: Refused, attempt = 1, now = NOON) => settle({ letter, attempt, answer, now, chance: 0 });

describe("an accepted mail", () => {
  const answer = { kind: "accepted", response: "250 2.0.0 Ok: queued as 4cQ", queueId: "4cQ" } as const;
  const outcome = settle({ letter, attempt: 3, answer, now: NOON + 7, chance: 0 });

  test("is done, and SENT is published", () => {
    expect(outcome.settlement).toEqual({ state: "done" });
    expect(outcome.publish).toEqual([
      {
        type: "publish",
        topic: "notifications",
        key: "grace",
        value: {
          id: eventId("n-1", "SENT", "grace@example.com"),
          type: "SENT",
          notificationId: "n-1",
          userId: "grace",
          conversationId: "c-1",
          messageIds: [],
          channel: "EMAIL",
          email: "grace@example.com",
          reason: null,
          statusCode: null,
          diagnostic: null,
          url: null,
          agent: null,
          snapshot: null,
          occurredAt: NOON + 7,
        },
      },
    ]);
  });

  test("is logged with its queue id on the mail server", () => {
    expect(outcome.detail).toMatchObject({ email: "grace@example.com", verdict: "sent", queueId: "4cQ" });
  });
});

describe("a refused mail", () => {
  test.each([
    ["rcpt", "550 5.1.1 <grace@example.com>: no such user", "hard"],
    ["rcpt", "550 5.1.2 no such host", "hard"],
    ["rcpt", "553 5.1.3 bad destination mailbox address syntax", "hard"],
    ["rcpt", "550 5.1.6 mailbox has moved", "hard"],
    ["rcpt", "556 5.1.10 the domain takes no mail", "hard"],
    ["data", "550 5.1.1 unknown after all", "hard"],
    ["rcpt", "550 no such user", "hard"],
    ["rcpt", "551 not local", "hard"],
    ["rcpt", "553 mailbox name not allowed", "hard"],
    ["rcpt", "550-5.1.1 The email account that you tried to reach does\n550-5.1.1 not exist.", "hard"],
    ["rcpt", "552 5.2.2 mailbox full", "soft"],
    ["rcpt", "554 something else", "soft"],
    ["rcpt", "550 5.2.1 mailbox disabled", "soft"],
    ["data", "550 content rejected", "soft"],
    ["data", "554 5.6.0 malformed", "soft"],
    ["rcpt", "550 5.7.1 blocked by policy", "block"],
    ["data", "554 5.7.1 message looks like spam", "block"],
    ["data", "550 5.7.26 unauthenticated", "block"],
  ] as const)("at %s with %j bounces as %s", (stage, reply, reason) => {
    const { settlement, publish, detail } = after(refused(stage, reply));
    expect(settlement.state).toBe("dead");
    expect(publish).toMatchObject([
      {
        value: {
          type: "BOUNCED",
          reason,
          email: "grace@example.com",
          statusCode: enhancedCode(reply),
          diagnostic: reply.replace("\n", " "),
          id: eventId("n-1", "BOUNCED", "grace@example.com"),
        },
      },
    ]);
    expect(detail).toMatchObject({ verdict: reason, stage });
  });

  test("publishes at most 500 characters of a long reply, on one line", () => {
    const [bounced] = after(refused("data", `550 5.6.0 ${"long\r\n".repeat(1_000)}`)).publish;
    const diagnostic = (bounced?.value as NotificationEvent | undefined)?.diagnostic;
    expect(diagnostic).toHaveLength(500);
    expect(diagnostic).not.toMatch(/[\r\n]/);
  });

  test.each([
    ["rcpt", "450 4.2.0 greylisted"],
    ["data", "451 4.3.0 later"],
    ["mail", "452 4.3.1 no room"],
    ["connect", "421 4.3.2 shutting down"],
    ["rcpt", "503 5.5.1 nested MAIL"],
    ["connect", "connect ECONNREFUSED 127.0.0.1:25"],
    ["data", "450 5.1.1 whose classes differ"],
  ] as const)("at %s with %j is retried by the schedule", (stage, reply) => {
    mailRetries.forEach((wait, index) => {
      const { settlement, publish } = after(refused(stage, reply), index + 1);
      expect(settlement).toEqual({ state: "retry", runAt: NOON + wait, error: reply });
      expect(publish).toEqual([]);
    });
  });

  test("is retried a random share of the wait later, to spread letters that failed together", () => {
    expect(settle({ letter, attempt: 1, answer: broken, now: NOON, chance: 0.5 }).settlement).toMatchObject({
      runAt: NOON + 31.5 * SECOND,
    });
  });

  test("bounces as soft when the schedule is used up", () => {
    const { settlement, publish } = after(refused("rcpt", "451 4.7.1 later"), mailRetries.length + 1, NOON + patience);
    expect(settlement).toEqual({ state: "dead", error: "451 4.7.1 later" });
    expect(publish).toMatchObject([{ value: { type: "BOUNCED", reason: "soft", statusCode: "4.7.1" } }]);
  });

  test("is retried for days, even if an outage of ours used up all attempts", () => {
    expect(after(broken, 500, NOON + 5 * HOUR).settlement).toMatchObject({
      state: "retry",
      runAt: NOON + 5 * HOUR + DAY,
    });
  });

  test("gets all its attempts, even if the service was down for weeks", () => {
    expect(after(broken, 1, NOON + 21 * DAY).settlement).toMatchObject({ state: "retry" });
  });
});

describe("a fault of our configuration", () => {
  test.each([
    ["auth", "535 5.7.8 authentication failed"],
    ["auth", "454 4.7.0 temporary authentication failure"],
    ["auth", "Missing credentials"],
    ["mail", "530 5.7.0 must issue STARTTLS first"],
    ["rcpt", "530 5.7.1 authentication required"],
    ["tls", "unable to verify the first certificate"],
    ["mail", "550 5.1.8 sender refused"],
    ["mail", "553 5.7.1 not owner of the sender address"],
    ["mail", "Message size larger than allowed 100"],
    ["connect", "554 5.7.1 your address is blocked here"],
    ["rcpt", "554 5.7.1 <grace@example.com>: Relay access denied"],
    ["rcpt", "550 relaying not allowed"],
  ] as const)("at %s with %j never bounces and is retried until it is corrected", (stage, reply) => {
    for (const [attempt, wait] of [
      [1, 30 * SECOND],
      [2, 2 * MINUTE],
      [4, 30 * MINUTE],
      [99, 30 * MINUTE],
    ] as const) {
      const { settlement, publish, detail } = after(refused(stage, reply), attempt, NOON + 30 * DAY);
      expect(settlement).toEqual({ state: "retry", runAt: NOON + 30 * DAY + wait, error: reply });
      expect(publish).toEqual([]);
      expect(detail).toMatchObject({ verdict: "ours" });
    }
  });
});

test("an attempt after which the server may have the mail is logged as perhapsTaken", () => {
  expect(after({ ...broken, stage: "data", perhapsTaken: true }).detail).toMatchObject({ perhapsTaken: true });
});
