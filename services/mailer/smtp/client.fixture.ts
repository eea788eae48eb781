import type { SMTPServerOptions } from "smtp-server";
import { afterEach } from "vitest";
import { compose } from "../content/compose.ts";
import { conversation, grace, message, person, triggered } from "../content/notification.fixture.ts";
import { mailOf } from "../content/mail.ts";
import { openMailClient, type MailClient, type Timeouts } from "./client.ts";
import { receiver } from "./receiver.fixture.ts";
import { renderer } from "../content/render.ts";
import { smtpOf } from "./url.ts";
import { readTemplates } from "../content/templates.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Starts a mail server that ends with the test. */
export const serve = async (options: SMTPServerOptions = {}) => {
  const next = await receiver(options);
  cleanups.push(() => next[Symbol.asyncDispose]());
  return next;
};

/** Timeouts that no test reaches, in milliseconds. */
const patient: Timeouts = { connect: 2_000, greeting: 2_000, reply: 2_000, attempt: 5_000 };

/** Opens a client of a mail server that ends with the test. */
export const clientFor = (url: string, timeouts: Partial<Timeouts> = {}): MailClient => {
  const client = openMailClient({
    smtp: smtpOf(url),
    maxConnections: 2,
    bounces: "bounces@chat.example",
    name: "chat.example",
    timeouts: { ...patient, ...timeouts },
  });
  cleanups.push(() => client[Symbol.asyncDispose]());
  return client;
};
export const at = (port: number, more = ""): string => `smtp://127.0.0.1:${port}${more}`;

const render = renderer(await readTemplates());
export const mailTo = (address: string, name = "Grace Hopper", text = "Hello") => {
  const event = triggered([conversation("Launch plan", [message(person("Ada"), text)])], { ...grace, name });
  const view = compose(
    event,
    { recipient: { ...grace, name }, conversations: event.snapshot?.conversations ?? [] },
    {
      productName: "Chatterbox",
      joinUrl: "https://chat.example.com/c/{conversationId}",
    },
  );
  const from = { name: "Chätterbox, Inc.", address: "chat@chat.example" };
  return mailOf({ address, event, loggedAt: event.occurredAt }, render(view), { from, domain: "chat.example" });
};
export const mail = mailTo("grace@example.com");
export const never = new AbortController().signal;
