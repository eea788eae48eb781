import { expect, test } from "vitest";
import { parse } from "../runtime/config.ts";
import type { Root } from "../runtime/service.ts";
import { mailer } from "./service.ts";

test("the service brings its processor, its work and a pool that closes with the process", async () => {
  const had: string[] = [];
  const owned: AsyncDisposable[] = [];
  const root: Pick<Root, "process" | "work" | "own" | "clock"> = {
    process: ({ name }) => had.push(`processor ${name}`),
    work: ({ queue, concurrency }) => had.push(`work ${queue} by ${concurrency}`),
    own: (part) => owned.push(part),
    clock: { now: () => 0 },
  };
  const environment = {
    SMTP_URL: "smtp://localhost:2525",
    MAIL_FROM: "Chat <chat@büro.example>",
    JOIN_URL: "https://chat.example.com/{conversationId}",
    MAIL_CONCURRENCY: "7",
  };
  await mailer.start(root as Root, parse(mailer.variables, environment));
  expect(had).toEqual(["processor mailer", "work mail by 7"]);
  expect(owned).toHaveLength(1);
  for (const part of owned) await part[Symbol.asyncDispose]();
});
