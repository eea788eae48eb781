import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { partitionsOf } from "../../services/platform/contract/topic-partition.ts";
import { type Application, startApplication } from "../../deploy/local/application.ts";
import type { House } from "../../deploy/local/house.ts";
import type { Millis } from "../../services/platform/contract/time.ts";
import type { TopicId } from "../../services/domain/topics.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { postgresStore } from "../../services/platform/adapters/postgres/store.ts";
import { bookOf, settingsSaid } from "../support/settings.ts";
import { freePort } from "./port.ts";
import { type Place, SINCE_EVER } from "./waiting.ts";

const MAIN = fileURLToPath(new URL("deciding.ts", import.meta.url));
const LOOK_EVERY: Millis = 100;

/** A house for benchmarks, with the destination of its progress lines. */
export interface Site {
  readonly house: House;
  readonly folder: string;
  readonly tell: (line: string) => void;
}

/** Starts a process with the services that decide; resolves when it is ready. */
export const decide = async ({ house: { settings }, folder, tell }: Site): Promise<Application> => {
  const environment = { ...process.env, ...settings, HTTP_PORT: String(await freePort()), LOG_LEVEL: "warn" };
  await using starting = new AsyncDisposableStack();
  const application = starting.use(startApplication(folder, environment, tell, MAIN));
  await application.ready();
  starting.move();
  return application;
};

/**
 * A store for users with a timeout of so many seconds. Its lanes have read the settings: settings new to a lane would
 * make it check all of its users.
 */
export const readyFor = async (site: Site, timeout: number): Promise<Place> => {
  const { deps, database } = site.house;
  await publish(deps.log, deps.codec, [settingsSaid({ timeout }, SINCE_EVER)]);
  const lanes = await deps.log.partitions("inbox");
  await using _deciding = await decide(site);
  for (let heard = 0; heard < lanes; await delay(LOOK_EVERY)) {
    const [found] = await database.query<{ count: number }>(
      `select count(*) from lanes where processor = 'inboxes'
       and exists (select from json_object_keys(cursors) place where place like 'settings/%')`,
    );
    heard = found?.count ?? 0;
  }
  return { store: postgresStore(database), lanes, book: bookOf({ timeout }, SINCE_EVER) };
};

/** The number of records that a topic has had so far. */
export const recordsOn = async ({ deps: { log } }: House, topic: TopicId): Promise<number> => {
  const places = await partitionsOf(log, [topic]);
  return (await log.offsets(places)).reduce((sum, { high }) => sum + high, 0);
};
