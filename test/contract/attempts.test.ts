import { expect, test } from "vitest";
import { attemptsOf, forgetAttempts, recordAttempt } from "../../services/webhooks/attempts.ts";
import { database } from "../support/world.ts";

test("the history of a delivery is its attempts in order, until they are forgotten", async () => {
  const db = await database();
  const row = { deliveryId: "event-1/ep_1", endpointId: "ep_1", duration: 12 };
  const second = { ...row, attempt: 2, at: 2_000, status: 200, error: null, excerpt: "" };
  const first = { ...row, attempt: 1, at: 1_001, status: null, error: "timeout: no answer", excerpt: null };
  await recordAttempt(db, second);
  await recordAttempt(db, first);
  await recordAttempt(db, { ...first, deliveryId: "event-1/ep_2" });
  expect(await attemptsOf(db, "event-1/ep_1")).toEqual([first, second]);

  expect(await forgetAttempts(db, second.at, 1)).toBe(1);
  expect(await forgetAttempts(db, second.at, 10)).toBe(1);
  expect(await attemptsOf(db, "event-1/ep_1")).toEqual([second]);
});
