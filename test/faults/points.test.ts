import { expect, test } from "vitest";
import { random } from "../../deploy/local/demo/random.ts";
import { all } from "../../services/all.ts";
import { eventually, world } from "../support/world.ts";
import { hasSaid, type Running, startAll } from "./processes.ts";
import { steps } from "./steps.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 400 : 30;
/** A process dies at one of the first times that it passes a failpoint. */
const MOST_TIMES = 3;

/** All of the failpoints, or three of them. */
const struck = IS_WHOLE ? steps : steps.filter((_step, index) => index % 4 === 0);

test(
  `each service killed between two steps of its loop resumes without loss or repeat (SEED=${SEED})`,
  { timeout: 120_000 + struck.length * 90_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "error" });
    using work = await trial(chat, HISTORIES);
    const dice = random(SEED);
    const deaths: string[] = [];
    for (const [point, who] of struck) {
      const { end } = startAll(chat, { point, who, times: 1 + dice.below(MOST_TIMES) });
      expect(await work.during(end)).toEqual({ code: null, signal: "SIGKILL" });
      deaths.push(`${point} ${who}`.trim());
    }
    await work.end([startAll(chat)], deaths);
  },
);

/**
 * Failpoints of a service with a process of its own: of its engine, its queue and its relay. Webhooks publish nothing.
 */
const stepsOf = (service: string): typeof steps => {
  const own = service === "mailer" ? ["mailer", "mail"] : [service];
  return steps.filter(([point, who]) => own.includes(who) || (point === "published" && service !== "webhooks"));
};

test.runIf(IS_WHOLE)(
  `each service killed while the others go on comes back without loss or repeat (SEED=${SEED})`,
  { timeout: 120_000 + (steps.length + all.length) * 90_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "info" });
    using work = await trial(chat, HISTORIES);
    const dice = random(SEED);
    const working = new Map<string, Running>();
    const startOthers = (than: string | null): void => {
      for (const { name } of all)
        if (name !== than && !working.has(name)) working.set(name, startAll(chat, null, { SERVICE: name }));
    };
    const deaths: string[] = [];
    for (const { name } of all) {
      startOthers(name);
      await stopped(working.get(name));
      working.delete(name);
      for (const [point, who] of stepsOf(name)) {
        const { end } = startAll(chat, { point, who, times: 1 + dice.below(MOST_TIMES) }, { SERVICE: name });
        expect(await work.during(end, [...working.values()])).toEqual({ code: null, signal: "SIGKILL" });
        deaths.push(`${point} ${name}`);
      }
    }
    startOthers(null);
    await work.end([...working.values()], deaths);
  },
);

const stopped = async (one: Running | undefined): Promise<void> => {
  if (one === undefined) return;
  await eventually(() => expect(hasSaid(one, "ready")).toBe(true));
  one.child.kill("SIGTERM");
  expect(await one.end).toEqual({ code: 0, signal: null });
};
