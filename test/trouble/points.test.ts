import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { random } from "../../deploy/local/demo/random.ts";
import { settings } from "../judge/history.ts";
import { expected, histories, together } from "../support/past.ts";
import { plain } from "../support/settings.ts";
import { eventually, SINCE_EVER, world } from "../support/world.ts";
import { checker } from "./checker.ts";
import { letter, lettersTold } from "./letters.ts";
import { startAll, type Strike } from "./processes.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 400 : 100;
/** A process dies at one of the first times that it comes to a point. */
const MOST_TIMES = 3;
/** Milliseconds between letters, which go on until it has: each step has something to do. */
const LETTER_EVERY = 100;

/** Every step of every loop, in the order in which work comes to them. */
const steps: readonly (readonly [point: Strike["point"], who: string])[] = [
  ["folded", "conversations"],
  ["committed", "conversations"],
  ["published", ""],
  ["folded", "inboxes"],
  ["committed", "inboxes"],
  ["folded", "mailer"],
  ["committed", "mailer"],
  ["folded", "webhooks"],
  ["committed", "webhooks"],
  ["attempted", "mail"],
  ["answered", "webhooks"],
  ["attempted", "webhooks"],
];

const dice = random(SEED);
/** All of them, or three that are drawn. */
const struck = IS_WHOLE ? steps : steps.filter((_step, index) => index % 4 === SEED % 4);

test(
  `killed between two steps of its loop, each service goes on as if nothing had been (SEED=${SEED})`,
  { timeout: 120_000 + struck.length * 90_000 },
  async () => {
    const all = histories(HISTORIES, SEED);
    const wanted = expected(all, [settings(SINCE_EVER, "default", plain)], Date.now());
    const chat = await world({ LOG_LEVEL: "error" });
    using facts = checker(chat);
    // All of it before anybody reads: what is read to its end is taken to have come to the present.
    await chat.publish(...together(all));
    const deaths: string[] = [];
    let letters = 0;
    for (const [point, who] of struck) {
      const times = 1 + dice.below(MOST_TIMES);
      const { end } = startAll(chat, { point, who, times });
      const dead = end.then(() => true);
      do await chat.publish(...letter(letters++));
      while (!(await Promise.race([dead, delay(LETTER_EVERY, false)])));
      expect(await end).toEqual({ code: null, signal: "SIGKILL" });
      deaths.push(`${point} ${who}`.trim());
    }
    const last = startAll(chat);
    await eventually(() => facts.idle());
    last.child.kill("SIGTERM");
    expect(await last.end).toEqual({ code: 0, signal: null });
    const checked = await facts.check([...wanted, ...lettersTold(letters)]);
    console.log(`${deaths.length} kills (seed ${SEED}): ${deaths.join(", ")}: ${JSON.stringify(checked)}`);
    expect(checked.notifications).toBeGreaterThan(HISTORIES / 2);
  },
);
