import { setTimeout as delay } from "node:timers/promises";
import { startApplication } from "../../deploy/local/application.ts";
import { KEEP_DELIVERIES } from "../../deploy/local/receiver/deliveries.ts";
import type { UserId } from "../../services/domain/ids.ts";
import { type Millis, SECOND } from "../../services/platform/contract/time.ts";
import { readWhole } from "../../services/ops/read.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { letter, lettersTold } from "../support/letters.ts";
import { settingsSaid } from "../support/settings.ts";
import type { Site } from "./deciders.ts";
import { inWords, type Spread, spreadOf } from "./figures.ts";
import { SINCE_EVER } from "./waiting.ts";

/** Letters sent before the measured ones, while code is compiled and connections open. */
const WARM_UP = 50;
const LOOK_EVERY: Millis = 100;
/** Webhooks of a letter, TRIGGERED and SENT. The receiver keeps only the last webhooks. */
const WEBHOOKS_EACH = 2;
export const MOST_LETTERS = KEEP_DELIVERIES / WEBHOOKS_EACH - WARM_UP;

/** The steps of a message, one after the other, in milliseconds since the step before, or since the message. */
const STAGES = [
  ["inbox", "message on the log", "entry on the inbox topic"],
  ["triggered", "entry on the inbox topic", "TRIGGERED on the log"],
  ["mail", "TRIGGERED on the log", "mail accepted by the server"],
  ["webhook", "TRIGGERED on the log", "webhook received"],
  ["toMail", "message on the log", "mail accepted by the server"],
  ["toWebhook", "message on the log", "webhook received"],
] as const;

type Moment = (typeof STAGES)[number][1 | 2];

export type EndToEnd = Readonly<Record<(typeof STAGES)[number][0], Spread>>;

/** Measures the time from a message that is due at once to its mail and its webhook, at a light load. */
export const endToEnd = async (
  { house, folder, tell }: Site,
  { count, rate }: { readonly count: number; readonly rate: number },
): Promise<EndToEnd> => {
  const { deps, settings, mailbox, receiver } = house;
  await publish(deps.log, deps.codec, [settingsSaid({}, SINCE_EVER)]);
  await using application = startApplication(folder, { ...process.env, ...settings, LOG_LEVEL: "warn" }, tell);
  await application.ready();
  const all = WARM_UP + count;
  const mails = new Map<string | undefined, Millis>();
  const ended = mailbox.onMail(({ to }) => {
    for (const address of to) mails.set(address.split("@")[0], Date.now());
  });
  for (let index = 0; index < all; index++) {
    await publish(deps.log, deps.codec, letter(index));
    await delay(SECOND / rate); // the rate of a light load, not a wait for a fact
  }
  const webhooks = (): ReadonlyMap<UserId, Millis> =>
    new Map(
      receiver
        .deliveries()
        .flatMap(({ type, user, receivedAt }) => (type === "notification.triggered" ? [[user, receivedAt]] : [])),
    );
  while (mails.size < all || webhooks().size < all) await delay(LOOK_EVERY);
  ended();

  const told = webhooks();
  const [messages, entries, decisions] = [
    new Map<string, Millis>(),
    new Map<string, Millis>(),
    new Map<string, Millis>(),
  ];
  for await (const { key, loggedAt: timestamp } of readWhole(deps, "messages")) messages.set(key, timestamp);
  for await (const { value, loggedAt: timestamp } of readWhole(deps, "inbox"))
    for (const { type, conversationId } of value?.entries ?? [])
      if (type === "CANDIDATE") entries.set(conversationId, timestamp);
  for await (const { key, value, loggedAt: timestamp } of readWhole(deps, "notifications"))
    if (value?.type === "TRIGGERED") decisions.set(key, timestamp);
  const moments = lettersTold(all)
    .slice(WARM_UP)
    .map(({ userId, conversationId }): Readonly<Record<Moment, number>> => ({
      "message on the log": messages.get(conversationId ?? "") ?? NaN,
      "entry on the inbox topic": entries.get(conversationId ?? "") ?? NaN,
      "TRIGGERED on the log": decisions.get(userId) ?? NaN,
      "mail accepted by the server": mails.get(userId) ?? NaN,
      "webhook received": told.get(userId) ?? NaN,
    }));
  return Object.fromEntries(
    STAGES.map(([name, from, to]) => [name, spreadOf(moments.map((moment) => moment[to] - moment[from]))]),
  ) as EndToEnd;
};

export const endToEndLines = (found: EndToEnd): readonly string[] =>
  STAGES.map(([name, from, to]) => `${`${from} to ${to}:`.padEnd(60)} ${inWords(found[name])}`);
