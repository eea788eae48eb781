import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import type { Random } from "../../deploy/local/demo/random.ts";
import { eventually, type World } from "./world.ts";

const SERVICES = ["conversations", "inboxes"] as const;
/** Members of each service, beside stalled ones. */
const EACH = 2;

/** The end of a member: asked to stop, killed, or stalled until others have its work and then woken up. */
const WAYS = ["stopped", "killed", "stalled"] as const;

/** A process of one service that shares its work with others. */
interface Member {
  readonly service: string;
  readonly child: ChildProcess;
  /** Its exit code, once it has ended. */
  readonly end: Promise<number | null>;
  /** Resolves when it has joined its group. */
  readonly ready: Promise<void>;
}

const start = ({ environment }: World, service: string): Member => {
  const main = fileURLToPath(new URL(`../../services/${service}/main.ts`, import.meta.url));
  const env = { ...process.env, ...environment, LOG_LEVEL: "info" };
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] });
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if ((JSON.parse(line) as { readonly message?: string }).message === "ready") resolve();
  });
  return { service, child, ready, end: new Promise((ended) => child.once("exit", ended)) };
};

/** Processes that come and go. They are killed at the end of the test if they still run. */
export interface Members {
  /** Ends a member and starts another of its service; returns a description. */
  change(): Promise<string>;
  /** Stops all members, which must exit with 0. */
  stop(): Promise<void>;
}

/**
 * Starts two members of conversations and two of inboxes, which save nothing until all have joined.
 * @param dice draws the members that end, and the way
 */
export const members = async (chat: World, dice: Random): Promise<Members> => {
  const working: Member[] = [];
  const stalled: Member[] = [];
  const fill = async (): Promise<void> => {
    await whileNothingIsSaved(chat, async () => {
      for (const service of SERVICES)
        while (working.filter((member) => member.service === service).length < EACH) working.push(start(chat, service));
      for (const { ready } of working) await ready;
    });
  };
  onTestFinished(async () => {
    for (const { child } of [...working, ...stalled]) child.kill("SIGKILL");
    await Promise.all([...working, ...stalled].map(({ end }) => end));
  });
  await installGate(chat);
  await fill();

  return {
    async change() {
      const member = dice.pick(working);
      const way = dice.pick(WAYS);
      working.splice(working.indexOf(member), 1);
      if (way === "stalled") {
        const before = await epochs(chat, member.service);
        member.child.kill("SIGSTOP");
        stalled.push(member);
        await fill();
        await eventually(async () => {
          const now = await epochs(chat, member.service);
          expect(before.filter((epoch, lane) => (now[lane] ?? 0) <= epoch)).toEqual([]);
        });
        member.child.kill("SIGCONT");
        working.push(...stalled.splice(0));
      } else {
        member.child.kill(way === "killed" ? "SIGKILL" : "SIGTERM");
        expect(await member.end).toBe(way === "killed" ? null : 0);
        await fill();
      }
      return `${member.service} ${way}`;
    },
    async stop() {
      for (const { child } of working) child.kill("SIGTERM");
      expect(await Promise.all(working.map(({ end }) => end))).toEqual(working.map(() => 0));
    },
  };
};

/** The epoch of each lane of a service: how often it was claimed. */
const epochs = async ({ database }: World, service: string): Promise<readonly number[]> => {
  const lanes = await database.query<{ epoch: number }>("select epoch from lanes where processor = $1 order by lane", [
    service,
  ]);
  return lanes.map(({ epoch }) => epoch);
};

/** Seconds by which a commit takes longer, for each lane: faults then meet work. */
const SLOW_COMMIT = 0.1;

/** Slows commits down, and holds them while the gate is closed. Claims are not slowed. */
export const installGate = async ({ database }: World): Promise<void> => {
  await database.query("create table gate as select true as is_open");
  await database.query(
    `create function pass() returns trigger language plpgsql as 'begin
       while not (select is_open from gate) loop perform pg_sleep(0.02); end loop;
       perform pg_sleep(${SLOW_COMMIT}); return new; end'`,
  );
  await database.query(
    "create trigger gate before update on lanes for each row when (old.epoch = new.epoch) execute function pass()",
  );
};

const whileNothingIsSaved = async ({ database }: World, act: () => Promise<void>): Promise<void> => {
  await database.query("update gate set is_open = false");
  await act();
  await database.query("update gate set is_open = true");
};
