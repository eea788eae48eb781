import { expect, test } from "vitest";
import { random } from "../../deploy/local/demo/random.ts";
import { world } from "../support/world.ts";
import { startAll } from "./processes.ts";
import { steps } from "./steps.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 400 : 30;
/** A process dies at one of the first times that it comes to a point. */
const MOST_TIMES = 3;

/** All of them, or three. */
const struck = IS_WHOLE ? steps : steps.filter((_step, index) => index % 4 === 0);

test(
  `killed between two steps of its loop, each service goes on as if nothing had been (SEED=${SEED})`,
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
