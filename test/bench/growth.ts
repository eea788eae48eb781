import { setTimeout as delay } from "node:timers/promises";
import type { Application } from "../../deploy/local/application.ts";
import type { House } from "../../deploy/local/house.ts";
import { conversations } from "../../services/conversations/rule.ts";
import type { TopicId } from "../../services/domain/topics.ts";
import { HOUR, type Millis, SECOND } from "../../services/platform/contract/time.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { message } from "../support/chat.ts";
import { decide, readyFor, recordsOn, type Site } from "./deciders.ts";
import { cpuSeconds, memoryMiB, parentOf } from "./machine.ts";
import { conversationOf, wait } from "./waiting.ts";

/** The timeout in seconds: too long for anybody to be told. */
const TIMEOUT = 900;
/** Time of the messages to users who wait: they are due long after the load. */
const LATER: Millis = 6 * HOUR;
const AT_ONCE = 5_000;
const LOOK_EVERY: Millis = 100;

export interface Growth {
  /** Users with rows in the store. */
  readonly users: number;
  readonly processes: number;
  readonly messages: number;
  readonly messagesPerSecond: number;
  /** CPU seconds a million messages, of the services and of PostgreSQL. */
  readonly cpu: { readonly services: number; readonly postgres: number };
  /** Memory of the largest process. */
  readonly memoryMiB: number;
}

/** Measures the cost of messages, each to a different user of so many, none of whose rows is in memory. */
export const growth = async (
  site: Site,
  { users, processes, messages }: Pick<Growth, "users" | "processes" | "messages">,
): Promise<Growth> => {
  const { deps, database } = site.house;
  const place = await readyFor(site, TIMEOUT);
  const later = Date.now() + LATER;
  await wait(place, 0, users, (index) => later + index);
  await database.query("vacuum analyze state_inboxes, state_conversations");
  site.tell(`${users} users are known`);

  await using running = new AsyncDisposableStack();
  const applications: Application[] = [];
  while (applications.length < processes) applications.push(running.use(await decide(site)));
  const [backend] = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
  const postgres = parentOf(backend?.pid ?? 0);
  const cpu = (): readonly [services: number, postgres: number] => [
    applications.reduce((sum, application) => sum + cpuSeconds(application.pid() ?? 0), 0),
    cpuSeconds(postgres),
  ];

  const [before, began] = [cpu(), performance.now()];
  const step = Math.max(1, Math.floor(users / messages));
  for (let first = 0; first < messages; first += AT_ONCE)
    await publish(
      deps.log,
      deps.codec,
      Array.from({ length: Math.min(AT_ONCE, messages - first) }, (_none, number) => {
        const index = ((first + number) * step) % users;
        const id = `again-${first + number}`;
        return message(conversationOf(index), `writer-${index}`, id, "0:00", { occurredAt: Date.now() });
      }),
    );
  while (!(await isThrough(site.house))) await delay(LOOK_EVERY);
  const [after, seconds] = [cpu(), (performance.now() - began) / SECOND];
  const each = (index: 0 | 1): number => ((after[index] - before[index]) / messages) * 1e6;
  return {
    users,
    processes,
    messages,
    messagesPerSecond: messages / seconds,
    cpu: { services: each(0), postgres: each(1) },
    memoryMiB: Math.max(...applications.map((application) => memoryMiB(application.pid() ?? 0))),
  };
};

/** Tells whether every message is folded, and every record of the inbox topic. */
const isThrough = async (house: House): Promise<boolean> => {
  const { database } = house;
  const folded = async (processor: string, topic: TopicId): Promise<number> => {
    const lanes = await database.query<{ cursors: Readonly<Record<string, number>> }>(
      "select cursors from lanes where processor = $1",
      [processor],
    );
    const cursors = lanes.flatMap((lane) => Object.entries(lane.cursors));
    return cursors.reduce((sum, [place, cursor]) => (place.startsWith(`${topic}/`) ? sum + cursor : sum), 0);
  };
  if ((await folded(conversations.name, "messages")) < (await recordsOn(house, "messages"))) return false;
  const [open] = await database.query<{ count: number }>("select count(*) from outbox where topic = 'inbox'");
  return open?.count === 0 && (await folded(inboxes.name, "inbox")) >= (await recordsOn(house, "inbox"));
};

export const growthLine = ({ users, processes, messagesPerSecond, cpu, memoryMiB: memory }: Growth): string =>
  `${users} users, ${processes} processes: ${Math.round(messagesPerSecond)} messages/s; CPU s a million: ` +
  `${Math.round(cpu.services)} in the services, ${Math.round(cpu.postgres)} in PostgreSQL; ${memory} MiB`;
