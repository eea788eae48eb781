import { expect, test } from "vitest";
import { memoryLog } from "../platform/memory/log.ts";
import { parse } from "../platform/app/config.ts";
import type { Root } from "../platform/app/service.ts";
import { mailerService } from "./service.ts";

const environment = {
  SMTP_URL: "smtp://localhost:2525",
  MAIL_FROM: "Chat <chat@büro.example>",
  JOIN_URL: "https://chat.example.com/{conversationId}",
  MAIL_CONCURRENCY: "7",
};

test("the service starts its processor, its work and a connection pool that closes with the process", async () => {
  const started: string[] = [];
  const owned: AsyncDisposable[] = [];
  const root: Pick<Root, "process" | "work" | "own" | "clock" | "log" | "lookUp" | "flowWatermark" | "hasFolded"> = {
    process: ({ name }) => started.push(`processor ${name}`),
    work: ({ queue, concurrency }) => started.push(`work ${queue} by ${concurrency}`),
    own: (part) => owned.push(part),
    clock: { now: () => 0 },
    log: memoryLog({ now: () => 0 }),
    lookUp: () => Promise.resolve([]),
    flowWatermark: () => Promise.resolve(() => Promise.resolve(0)),
    hasFolded: () => Promise.resolve(() => Promise.resolve(true)),
  };
  await mailerService.start(root as Root, parse(mailerService.variables, environment));
  expect(started).toEqual(["processor mailer", "work mail by 7"]);
  expect(owned).toHaveLength(1);
  for (const part of owned) await part[Symbol.asyncDispose]();
});

test("the service refuses to start where preferences and notifications differ in partitions", async () => {
  const log = memoryLog({ now: () => 0 }, (topic) => (topic === "preferences" ? 3 : 6));
  const start = mailerService.start({ log } as unknown as Root, parse(mailerService.variables, environment));
  await expect(start).rejects.toThrow("notification.preferences has 3 partitions, notification.events 6");
});
