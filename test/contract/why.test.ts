import { expect, test } from "vitest";
import { laneOf } from "../../services/platform/contract/lane.ts";
import type { LedgerEntry, NotificationEvent } from "../../services/domain/records.ts";
import { triggered } from "../../services/mailer/content/notification.fixture.ts";
import { whyCommand } from "../../services/ops/why/why.ts";
import { at } from "../support/chat.ts";
import { PARTITIONS, type TestLog, testLog } from "../support/world.ts";

const ask = async ({ log, codec }: TestLog, ...args: readonly string[]): Promise<readonly string[]> => {
  const said: string[] = [];
  await whyCommand(
    async () => ({ log, codec, close: async () => undefined }),
    (line) => said.push(line),
  )
    .exitOverride()
    .parseAsync(args, { from: "user" });
  return said;
};

const note = async ({ log, codec }: TestLog, ...entries: readonly LedgerEntry[]): Promise<void> =>
  log.publish(
    entries.map((entry) => ({
      topic: "ledger",
      partition: laneOf(entry.users[0] ?? "", PARTITIONS),
      key: null,
      value: codec.encode("ledger", { entries: [entry] }),
    })),
  );

const entry = (verdict: LedgerEntry["verdict"], clock: string, more: Partial<LedgerEntry>): LedgerEntry => ({
  verdict,
  reason: null,
  users: ["ada"],
  conversationId: "c",
  messageIds: [],
  notificationId: null,
  until: null,
  facts: {},
  occurredAt: at(clock),
  ...more,
});

test(
  "the ledger and the events of a notification are read and told as a story, as lines and as JSON",
  { timeout: 60_000 },
  async () => {
    const logs = await testLog();
    expect(await ask(logs, "--user", "ada")).toEqual([
      expect.stringMatching(/^nothing is on record for the user ada: /),
    ]);
    await note(
      logs,
      entry("CANDIDATE", "12:01", {
        messageIds: ["m1"],
        users: ["ada", "zoe"],
        facts: { since: String(at("12:01")) },
      }),
      entry("REJECTED", "12:01", { messageIds: ["m1"], users: ["bob"], reason: "self" }),
      entry("TRIGGERED", "12:06", { messageIds: ["m1"], notificationId: "n-1" }),
      entry("CANDIDATE", "12:07", { messageIds: ["m9"], conversationId: "d" }),
    );
    const event: NotificationEvent = {
      ...triggered([]),
      userId: "ada",
      conversationId: "c",
      email: "ada@example.org",
      occurredAt: at("12:06:01"),
    };
    await logs.publish(
      { topic: "notifications", key: "ada", value: { ...event, id: "1", type: "SENT" } },
      { topic: "notifications", key: "ada", value: { ...event, id: "2", type: "SENT", notificationId: "another" } },
    );
    expect(await ask(logs, "--user", "ada", "--conversation", "c", "--message", "m1")).toEqual([
      "2026-01-05 (UTC)",
      "12:01:00  m1 in c was missed",
      "12:06:00  told: notification n-1 about 1 message in c",
      "12:06:01  the mail to ada@example.org about c was accepted by the next server",
    ]);
    const [json = ""] = await ask(logs, "--user", "bob", "--json");
    expect(JSON.parse(json)).toEqual({
      user: "bob",
      told: [
        {
          at: at("12:01"),
          text: "m1 in c was not for them: they wrote it themselves",
          what: "REJECTED",
          reason: "self",
          conversationId: "c",
          messageIds: ["m1"],
          notificationId: null,
          until: null,
          facts: {},
        },
      ],
    });
    expect(JSON.parse((await ask(logs, "--user", "eve", "--json"))[0] ?? "")).toMatchObject({
      note: /^nothing/,
      told: [],
    });
  },
);
