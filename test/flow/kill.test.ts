import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { countMails } from "../../deploy/local/demo/audit.ts";
import { cast } from "../../deploy/local/demo/cast.ts";
import { expectedMails } from "../../deploy/local/demo/expected.ts";
import { play } from "../../deploy/local/demo/play.ts";
import { random } from "../../deploy/local/demo/random.ts";
import { script } from "../../deploy/local/demo/script.ts";
import { SECOND } from "../../services/core/time.ts";
import { eventually, type World, world } from "../support/world.ts";

/** Kills in a run of all tests; by hand, KILLS=10. The seed of their moments is printed, and can be given. */
const KILLS = Number(process.env["KILLS"] ?? 3);
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
/** Seconds: odd, so that nothing falls due on a tick of the script. */
const NOTIFY_AFTER = 5;
/** Milliseconds a process lives before it is killed, at most. */
const LONGEST_LIFE = 4_000;

const main = fileURLToPath(new URL("../../services/main.ts", import.meta.url));

const start = ({ environment }: World): ChildProcess =>
  spawn(process.execPath, [main], { env: { ...process.env, ...environment }, stdio: ["ignore", "inherit", "inherit"] });

const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once("exit", resolve));

test(
  `kill -9 of all services at random moments loses no mail and repeats none (KILLS=${KILLS} SEED=${SEED})`,
  { timeout: (KILLS + 3) * 30_000 },
  async () => {
    const chat = await world({ NOTIFY_AFTER_SECONDS: String(NOTIFY_AFTER) });
    using mails = countMails(chat.mailbox);
    const dice = random(SEED);
    const playing = play(script(cast(), SEED), (records) => chat.publish(...records), "one act", new AbortController().signal);
    for (let kill = 0; kill < KILLS; kill++) {
      const child = start(chat);
      // Not a wait for a fact: the moment of the kill is what is drawn. Half of the kills hit a process that is ready.
      await delay(1_500 + dice.below(LONGEST_LIFE));
      child.kill("SIGKILL");
      await ended(child);
    }
    const last = start(chat);
    const expected = await expectedMails(await playing, NOTIFY_AFTER * SECOND);
    expect(expected.length).toBeGreaterThan(5);
    await eventually(async () => {
      const counts = await mails.counts();
      expect(expected.filter(({ notificationId, address }) => !counts.has(`${notificationId} ${address}`))).toEqual([]);
    });
    const hooks = expected.length;
    await eventually(() => expect(chat.receiver.summary().distinct).toBeGreaterThanOrEqual(hooks));
    last.kill("SIGTERM");
    await ended(last);
    expect(last.exitCode).toBe(0);
    // A mail may come twice through the one window that nobody can close: killed between the server's 250 to the final
    // dot and the row that says so. Each kill has a handful of mails under way at most.
    const counts = await mails.counts();
    const names = new Set(expected.map(({ notificationId, address }) => `${notificationId} ${address}`));
    expect([...counts.keys()].filter((name) => !names.has(name))).toEqual([]);
    const repeated = [...counts].filter(([, count]) => count > 1);
    console.log(`${expected.length} mails expected, ${counts.size} came, ${repeated.length} of them twice; ${KILLS} kills, seed ${SEED}`);
    expect(repeated.length).toBeLessThanOrEqual(KILLS);
  },
);
