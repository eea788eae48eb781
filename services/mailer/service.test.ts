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

test("the service brings its processor, its work and a pool that closes with the process", async () => {
  const had: string[] = [];
  const owned: AsyncDisposable[] = [];
  const root: Pick<Root, "process" | "work" | "own" | "clock" | "log" | "lookUp" | "flowWatermark" | "hasFolded"> = {
    process: ({ name }) => had.push(`processor ${name}`),
    work: ({ queue, concurrency }) => had.push(`work ${queue} by ${concurrency}`),
    own: (part) => owned.push(part),
    clock: { now: () => 0 },
    log: memoryLog({ now: () => 0 }),
    lookUp: () => Promise.resolve([]),
    flowWatermark: () => Promise.resolve(() => Promise.resolve(0)),
    hasFolded: () => Promise.resolve(() => Promise.resolve(true)),
  };
  await mailerService.start(root as Root, parse(mailerService.variables, environment));
  expect(had).toEqual(["processor mailer", "work mail by 7"]);
  expect(owned).toHaveLength(1);
  for (const part of owned) await part[Symbol.asyncDispose]();
});

test("choices and notifications must be dealt out alike", async () => {
  const log = memoryLog({ now: () => 0 }, (topic) => (topic === "preferences" ? 3 : 6));
  const starting = mailerService.start({ log } as unknown as Root, parse(mailerService.variables, environment));
  await expect(starting).rejects.toThrow("notification.preferences has 3 partitions, notification.events 6");
});
