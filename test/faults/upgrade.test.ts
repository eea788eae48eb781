import { expect, test } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { eventually, type World, world } from "../support/world.ts";
import { laterVersion, type LaterVersion } from "./later.ts";
import { hasSaid, type Running, startAll } from "./processes.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 400 : 30;
/** The version of each process in order: there and back again, and there. */
const versions = (IS_WHOLE ? "old old new new old old new new" : "old new old new").split(" ");
/** Letters written by each pair of versions that run together. */
const LETTERS = IS_WHOLE ? 20 : 8;

test(
  `two versions, the later with one more field in its records, run together and after one another (SEED=${SEED})`,
  { timeout: 180_000 + versions.length * 60_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "info" });
    await growRows(chat);
    const later = laterVersion();
    const mixed = mixing(chat, later);
    using work = await trial(mixed.chat, HISTORIES);
    await later.register(chat);
    mixed.begin();
    const last = await work.during(roll(chat, later, mixed.written));
    expect(last).toHaveLength(2);
    await work.end(last, versions);
  },
);

/** Replaces processes one after another, with two at work at a time. */
const roll = async (chat: World, later: LaterVersion, written: () => number): Promise<readonly Running[]> => {
  let working: readonly Running[] = [];
  for (const version of versions) {
    const next = version === "new" ? startAll(chat, null, {}, later.main) : startAll(chat);
    await eventually(() => expect(hasSaid(next, "ready")).toBe(true));
    const until = written() + LETTERS;
    await eventually(() => expect(written()).toBeGreaterThan(until));
    const [first, second] = working;
    if (first !== undefined && second !== undefined) {
      first.child.kill("SIGTERM");
      expect(await first.end).toEqual({ code: 0, signal: null });
    }
    working = second === undefined ? [...working, next] : [second, next];
  }
  return working;
};

/** Upgrades the chat product too: from a moment on, the later version writes every other letter. */
const mixing = (chat: World, later: LaterVersion) => {
  let count = -1;
  return {
    chat: {
      ...chat,
      publish: (...records: readonly NewRecord[]) =>
        count < 0 || count++ % 2 === 0 ? chat.publish(...records) : later.publish(chat, records),
    },
    begin: () => {
      count = 0;
    },
    written: () => count,
  };
};

/** Puts a field that neither version knows into every row and job, as a still later version might. */
const growRows = async ({ database }: World): Promise<void> => {
  await database.query(
    `create function grow() returns trigger language plpgsql as 'begin
       if json_typeof(new.value) = ''object'' then new.value := (new.value::jsonb || ''{"later": [1]}'')::json; end if;
       return new; end'`,
  );
  for (const table of ["state_conversations", "state_inboxes", "state_mailer"])
    await database.query(
      `create trigger grow before insert or update on ${table} for each row when (new.value is not null) execute function grow()`,
    );
  await database.query(
    `create function grow_job() returns trigger language plpgsql as 'begin
       new.payload := (new.payload::jsonb || ''{"later": [1]}'')::json; return new; end'`,
  );
  await database.query("create trigger grow before insert on jobs for each row execute function grow_job()");
};
