import { beforeAll, describe, expect, test } from "vitest";
import { claimed, commitOf, entry, type Ground, ground, job, PROCESSOR, row, stores, valuesOf } from "./store.suite.ts";

/** The progress of a lane that was never read. */
const UNTOUCHED = {
  cursors: {},
  lastSequence: {},
  partiallyFolded: {},
  lastTime: {},
  watermark: -1,
  readOffsets: {},
  readWatermark: -1,
};

/** The contract of a store (services/platform/contract/ports.ts). Both stores pass. */
describe.each(stores)("a store %s", (_name, open) => {
  let on: Ground;
  beforeAll(async () => {
    on = ground(await open());
  });

  describe("a lane's progress", () => {
    test("begins with nothing taken, and every claim raises its epoch", async () => {
      const lane = on.next();
      expect(await on.store.claim(PROCESSOR, [lane])).toEqual([
        { ...UNTOUCHED, lane, epoch: 1, sequence: expect.any(Number) },
      ]);
      expect(await on.store.claim(PROCESSOR, [lane])).toMatchObject([{ lane, epoch: 2 }]);
    });

    test("is the last one committed, whoever claims the lane", async () => {
      const hold = await claimed(on);
      const taken = {
        cursors: { "messages/3": 12, __proto__: 1 },
        lastSequence: { "inbox/3<a/1": 7 },
        partiallyFolded: { "inbox/3<a/1": 2 },
        lastTime: { "inbox/3<a/1": 1_700_000_000_000 },
        sequence: 2 ** 52,
        watermark: 1_700_000_000_000,
        readOffsets: { "messages/3": 14 },
        readWatermark: 1_700_000_000_001,
      };
      expect(await on.store.commit(commitOf([{ ...hold, ...taken }]))).toBe("committed");
      expect(await on.store.claim(PROCESSOR, [hold.lane])).toEqual([{ lane: hold.lane, epoch: 2, ...taken }]);
    });

    test("has sequences that go on from the clock, so that a store restored from a backup never repeats a number", async () => {
      const hold = await claimed(on);
      expect(await on.store.commit(commitOf([{ ...hold, sequence: 5 }]))).toBe("committed");
      const [restored] = await on.store.claim(PROCESSOR, [hold.lane]);
      expect(restored?.sequence).toBeGreaterThanOrEqual(hold.sequence);
      expect(Number.isSafeInteger(restored?.sequence)).toBe(true);
    });

    test("belongs to one processor: another processor's lane of that number is another lane", async () => {
      const hold = await claimed(on);
      await on.store.claim("conversations", [hold.lane]);
      expect(await on.store.commit(commitOf([hold]))).toBe("committed");
    });

    test("may be claimed for several lanes, or none", async () => {
      const lanes = [on.next(), on.next(), on.next()];
      const holds = await on.store.claim(PROCESSOR, lanes);
      expect(holds.map(({ lane }) => lane).toSorted((a, b) => a - b)).toEqual(lanes);
      expect(await on.store.claim(PROCESSOR, [])).toEqual([]);
    });
  });

  describe("a commit of an old epoch", () => {
    test("is fenced and saves nothing", async () => {
      const old = await claimed(on);
      const own = await claimed(on);
      const [now] = await on.store.claim(PROCESSOR, [old.lane]);
      const [stream, queue] = [`stream-${on.next()}`, `queue-${on.next()}`];
      const commit = commitOf(
        [
          { ...own, sequence: 2 ** 52, cursors: { a: 9 } },
          { ...old, sequence: 2 ** 52, cursors: { a: 9 } },
        ],
        {
          rows: [row(own, "a", 1, 5), row(old, "b", 2, 5)],
          outbox: [entry(stream, 1)],
          jobs: [job(queue, "j")],
        },
      );
      expect(await on.store.commit(commit)).toBe("fenced");
      expect(await valuesOf(on, own, "a")).toEqual([undefined]);
      expect(await valuesOf(on, old, "b")).toEqual([undefined]);
      expect(await on.store.nextDue(PROCESSOR, [own.lane, old.lane])).toBeNull();
      expect(await on.store.unpublished([stream])).toEqual([]);
      expect(await on.store.nextJob(queue)).toBeNull();
      expect(await on.store.claim(PROCESSOR, [own.lane])).toMatchObject([{ epoch: own.epoch + 1, cursors: {} }]);
      expect(await on.store.claim(PROCESSOR, [old.lane])).toMatchObject([
        { ...now, epoch: 3, sequence: expect.any(Number) },
      ]);
      const [after] = await on.store.claim(PROCESSOR, [own.lane]);
      expect(after?.sequence).toBeLessThan(2 ** 52);
    });

    test("is fenced, or seen by the next owner, however the two race", async () => {
      for (let round = 1; round <= 20; round++) {
        const [lost, kept] = [await claimed(on), await claimed(on)];
        const commit = commitOf([lost, kept].map((hold) => ({ ...hold, cursors: { a: round } })));
        const [result, [now]] = await Promise.all([on.store.commit(commit), on.store.claim(PROCESSOR, [lost.lane])]);
        const cursors = result === "committed" ? { a: round } : {};
        expect([now?.epoch, now?.cursors]).toEqual([2, cursors]);
        const [other] = await on.store.claim(PROCESSOR, [kept.lane]);
        expect(other?.cursors).toEqual(cursors);
      }
    });

    test("is fenced on a lane that was never claimed", async () => {
      const hold = { ...UNTOUCHED, lane: on.next(), epoch: 1, sequence: 0 };
      expect(await on.store.commit(commitOf([hold]))).toBe("fenced");
    });

    test("is not a later commit of the same epoch, which is saved", async () => {
      const hold = await claimed(on);
      for (const sequence of [1, 2, 3])
        expect(await on.store.commit(commitOf([{ ...hold, sequence }]))).toBe("committed");
    });
  });

  describe("committed progress", () => {
    test("is that of each lane, with the first entry that is still to be published to the topic", async () => {
      const [one, other] = [await claimed(on), await claimed(on)];
      const come = { cursors: { "messages/1": 3 }, readOffsets: { "messages/1": 5 }, watermark: 70, readWatermark: 80 };
      const stream = `${PROCESSOR}/${one.lane}`;
      const entries = [
        entry(stream, 7, { topic: "deadLetters" }),
        entry(stream, 9, { topic: "inbox" }),
        entry(stream, 8, { topic: "inbox" }),
      ];
      await on.store.commit(commitOf([{ ...one, ...come, sequence: 2 ** 52 }], { outbox: entries }));
      const found = async (to: "inbox" | "presence") => {
        const lanes = await on.store.progress(PROCESSOR, to);
        return [one, other].map(({ lane }) => lanes.find((each) => each.lane === lane));
      };
      const untouched = { cursors: {}, readOffsets: {}, watermark: -1, readWatermark: -1, unpublished: null };
      expect(await found("inbox")).toEqual([
        { lane: one.lane, ...come, sequence: 2 ** 52, unpublished: 8 },
        { lane: other.lane, ...untouched, sequence: other.sequence },
      ]);
      expect((await found("presence"))[0]?.unpublished).toBeNull();
      await on.store.published(entries.slice(2));
      expect((await found("inbox"))[0]?.unpublished).toBe(9);
    });
  });

  describe("rows", () => {
    test("come in the order asked, undefined where there is none", async () => {
      const hold = await claimed(on);
      await on.store.commit(commitOf([hold], { rows: [row(hold, "a", { n: 1 }), row(hold, "b", "two")] }));
      expect(await valuesOf(on, hold, "b", "c", "a", "b")).toEqual(["two", undefined, { n: 1 }, "two"]);
      expect(await on.store.load(PROCESSOR, [])).toEqual([]);
    });

    test("are gathered by keys and by a prefix, of one lane alone", async () => {
      const [one, other] = [await claimed(on), await claimed(on)];
      const rows = ["a", "b", "t\u001f1", "t\u001f2", "t\u001fé", "t ", "t"].map((key) => row(one, key, `one ${key}`));
      await on.store.commit(commitOf([one, other], { rows: [...rows, row(other, "t\u001f9", "other")] }));
      const gathered = await on.store.gather(PROCESSOR, [
        { lane: one.lane, keys: ["a", "c"], prefix: "t\u001f" },
        { lane: one.lane, keys: ["b"], prefix: null },
        { lane: other.lane, keys: ["a"], prefix: "t\u001f" },
        { lane: on.next(), keys: ["a"], prefix: "t" },
      ]);
      expect(gathered.map((found) => [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)))).toEqual([
        ["a", "t\u001f1", "t\u001f2", "t\u001fé"].map((key) => [key, `one ${key}`]),
        [["b", "one b"]],
        [["t\u001f9", "other"]],
        [],
      ]);
      expect(await on.store.gather(PROCESSOR, [])).toEqual([]);
    });

    test("are overwritten, and deleted by null", async () => {
      const hold = await claimed(on);
      await on.store.commit(commitOf([hold], { rows: [row(hold, "a", 1, 10), row(hold, "b", 1, 20)] }));
      await on.store.commit(commitOf([hold], { rows: [row(hold, "a", 2, 30), row(hold, "b", null, 20)] }));
      expect(await valuesOf(on, hold, "a", "b")).toEqual([2, undefined]);
      expect(await on.store.due(PROCESSOR, [hold.lane], 1_000, 10)).toEqual([{ lane: hold.lane, key: "a", due: 30 }]);
      await on.store.commit(commitOf([hold], { rows: [row(hold, "a", 3), row(hold, "never there", null)] }));
      expect(await on.store.due(PROCESSOR, [hold.lane], Infinity, 10)).toEqual([]);
    });

    test("are found by their due times, earliest first", async () => {
      const [one, two] = [await claimed(on), await claimed(on)];
      const rows = [
        row(one, "later", 1, 30),
        row(two, "first", 1, 10),
        row(one, "never", 1),
        row(two, "second", 1, 20),
        row(one, "before the epoch", 1, -5),
      ];
      await on.store.commit(commitOf([one, two], { rows }));
      const lanes = [one.lane, two.lane];
      const due = async (until: number, limit = 10): Promise<readonly string[]> =>
        (await on.store.due(PROCESSOR, lanes, until, limit)).map(({ key }) => key);
      expect(await due(20)).toEqual(["before the epoch", "first", "second"]);
      expect(await due(20, 2)).toEqual(["before the epoch", "first"]);
      expect(await due(Infinity)).toEqual(["before the epoch", "first", "second", "later"]);
      expect(await due(-6)).toEqual([]);
      expect(await on.store.due(PROCESSOR, [one.lane], 30, 10)).toHaveLength(2);
      expect(await on.store.nextDue(PROCESSOR, lanes)).toBe(-5);
      expect(await on.store.nextDue(PROCESSOR, [two.lane])).toBe(10);
      expect(await on.store.nextDue(PROCESSOR, [on.next()])).toBeNull();
      expect(await on.store.nextDue("mailer", [one.lane])).toBeNull();
    });

    test("of equal time are found in the order of their keys", async () => {
      const hold = await claimed(on);
      const keys = ["b", "c", "a", "d"];
      await on.store.commit(commitOf([hold], { rows: keys.map((key) => row(hold, key, 1, key === "d" ? 1 : 2)) }));
      const due = await on.store.due(PROCESSOR, [hold.lane], 2, 3);
      expect(due.map(({ key }) => key)).toEqual(["d", "a", "b"]);
    });

    test("with later timers are due from the commit's revisit time on, in the commit's lanes", async () => {
      const [one, other] = [await claimed(on), await claimed(on)];
      const rows = [row(one, "later", 1, 30), row(one, "before", 1, 10), row(one, "never", 1)];
      await on.store.commit(commitOf([one, other], { rows: [...rows, row(other, "elsewhere", 1, 30)] }));
      await on.store.commit(commitOf([one], { revisit: 20, rows: [row(one, "new", 1, 40)] }));
      const due = async ({ lane }: typeof one) =>
        (await on.store.due(PROCESSOR, [lane], 100, 10)).map((each) => [each.key, each.due]);
      expect(await due(one)).toEqual([
        ["before", 10],
        ["later", 20],
        ["new", 40],
      ]);
      expect(await due(other)).toEqual([["elsewhere", 30]]);
      await on.store.claim(PROCESSOR, [one.lane]);
      expect(await on.store.commit(commitOf([one], { revisit: 0 }))).toBe("fenced");
      expect((await due(one)).at(-1)).toEqual(["new", 40]);
    });

    test("belong to one processor alone", async () => {
      const hold = await claimed(on);
      await on.store.commit(commitOf([hold], { rows: [row(hold, "a", 1, 1)] }));
      expect(await on.store.load("conversations", [{ lane: hold.lane, key: "a" }])).toEqual([undefined]);
      expect(await on.store.nextDue("conversations", [hold.lane])).toBeNull();
    });
  });
});
