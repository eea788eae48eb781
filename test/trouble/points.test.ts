import { expect, test } from "vitest";
import { settings } from "../judge/history.ts";
import { expected, histories, together } from "../support/past.ts";
import { plain } from "../support/settings.ts";
import { eventually, SINCE_EVER, world } from "../support/world.ts";
import { checker } from "./checker.ts";
import { startAll, type Strike } from "./processes.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 400 : 100;

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

/** All of them, or three. */
const struck = IS_WHOLE ? steps : steps.filter((_step, index) => index % 4 === 0);

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
    for (const [point, who] of struck) {
      // Not later than the first time: there may be nothing left to do.
      expect(await startAll(chat, { point, who, times: 1 }).end).toEqual({ code: null, signal: "SIGKILL" });
      deaths.push(`${point} ${who}`.trim());
    }
    const last = startAll(chat);
    await eventually(() => facts.idle());
    last.child.kill("SIGTERM");
    expect(await last.end).toEqual({ code: 0, signal: null });
    const checked = await facts.check(wanted);
    console.log(`${deaths.length} kills (seed ${SEED}): ${deaths.join(", ")}: ${JSON.stringify(checked)}`);
    expect(checked.notifications).toBeGreaterThan(HISTORIES / 2);
  },
);
