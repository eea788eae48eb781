import { beforeAll, describe, expect, test } from "vitest";
import { HOUR } from "../../services/platform/contract/time.ts";
import {
  claimed,
  commitOf,
  enqueue,
  entry,
  type Ground,
  ground,
  job,
  leaseOne,
  plain,
  PROCESSOR,
  stores,
  unnumbered,
} from "./store.suite.ts";

/** The contract of a store for its outbox and its jobs (services/platform/contract/ports.ts). Both stores pass. */
describe.each(stores)("a store %s", (_name, open) => {
  let on: Ground;
  beforeAll(async () => {
    on = ground(await open());
  });

  describe("the outbox", () => {
    test("returns saved entries, in order within a stream, until they are published", async () => {
      const hold = await claimed(on);
      const stream = `${PROCESSOR}/${hold.lane}`;
      const all = [
        entry(stream, 1, { partition: 0, key: null }),
        entry(stream, 2, { topic: "inbox", partition: 3, value: Uint8Array.from({ length: 256 }, (_none, n) => n) }),
        entry(stream, 10, { key: "ключ 👾", value: new Uint8Array() }),
      ];
      await on.store.commit(commitOf([hold], { outbox: [all[1], all[2]].flatMap((each) => each ?? []) }));
      await on.store.commit(commitOf([hold], { outbox: all.slice(0, 1) }));
      expect(plain(await on.store.unpublished([stream, "nobody's"]))).toEqual(plain(all));
      await on.store.published([
        { stream, sequence: 2 },
        { stream, sequence: 3 },
        { stream: "nobody's", sequence: 1 },
      ]);
      expect((await on.store.unpublished([stream])).map(({ sequence }) => sequence)).toEqual([1, 10]);
      await on.store.published([]);
      expect(await on.store.unpublished([])).toEqual([]);
    });

    test("keeps streams apart", async () => {
      const hold = await claimed(on);
      const [one, two] = [`one-${on.next()}`, `two-${on.next()}`];
      await on.store.commit(commitOf([hold], { outbox: [entry(one, 1), entry(two, 1), entry(two, 2)] }));
      await on.store.published([{ stream: one, sequence: 1 }]);
      expect(await on.store.unpublished([one])).toEqual([]);
      expect(await on.store.unpublished([two])).toHaveLength(2);
    });

    test("returns a limited number of the entries that were saved before a moment", async () => {
      const hold = await claimed(on);
      const stream = `stream-${on.next()}`;
      await on.store.commit(commitOf([hold], { outbox: [1, 2, 3].map((sequence) => entry(stream, sequence)) }));
      const [longAgo, longAfter] = [Date.now() - 3_600_000, Date.now() + 3_600_000];
      expect(await on.store.unpublished([stream], { limit: 10, before: longAgo })).toEqual([]);
      const some = await on.store.unpublished([stream], { limit: 2, before: longAfter });
      expect(some.map(({ sequence }) => sequence)).toEqual([1, 2]);
    });
  });

  describe("jobs", () => {
    test("are made once by id, whatever became of the first", async () => {
      const queue = `queue-${on.next()}`;
      await enqueue(on, job(queue, "a", 0, "first"), job(queue, "a", 0, "same commit"));
      await enqueue(on, job(queue, "a", 0, "another commit"), job(`${queue}-other`, "a", 0, "another queue"));
      const leased = await leaseOne(on, queue, 0, 100);
      expect(leased).toMatchObject({ queue, id: "a", payload: "first", attempt: 1 });
      expect(await on.store.settle(leased, { state: "done" }, [])).toEqual([]);
      await enqueue(on, job(queue, "a", 0, "after it was done"));
      expect(await on.store.lease(queue, 10, 1_000_000, 1_000_001)).toEqual([]);
      expect(await leaseOne(on, `${queue}-other`, 0, 1)).toMatchObject({ payload: "another queue" });
    });

    test("are leased when they are due, the earliest first", async () => {
      const queue = `queue-${on.next()}`;
      await enqueue(on, job(queue, "c", 30), job(queue, "a", 10), job(queue, "d", 40), job(queue, "b", 20));
      expect(await on.store.nextJob(queue)).toBe(10);
      expect(await on.store.lease(queue, 10, 9, 100)).toEqual([]);
      const ids = async (limit: number, now: number): Promise<readonly string[]> =>
        (await on.store.lease(queue, limit, now, 100)).map(({ id }) => id).toSorted();
      expect(await ids(2, 35)).toEqual(["a", "b"]);
      expect(await ids(10, 35)).toEqual(["c"]);
      expect(await on.store.nextJob(queue)).toBe(40);
      expect(await ids(0, 100)).toEqual([]);
      expect(await on.store.nextJob(`queue-${on.next()}`)).toBeNull();
    });

    test("go to one of several workers that ask at once", async () => {
      const queue = `queue-${on.next()}`;
      await enqueue(on, ...Array.from({ length: 40 }, (_none, index) => job(queue, `job-${index}`)));
      const asked = await Promise.all(Array.from({ length: 10 }, () => on.store.lease(queue, 5, 0, 1_000)));
      const rest = await on.store.lease(queue, 100, 0, 1_000);
      const ids = [...asked.flat(), ...rest].map(({ id }) => id);
      expect(ids).toHaveLength(40);
      expect(new Set(ids).size).toBe(40);
    });

    test("are leased again when the lease runs out, and not before", async () => {
      const queue = `queue-${on.next()}`;
      await enqueue(on, job(queue, "a"));
      const first = await leaseOne(on, queue, 0, 100);
      expect(await on.store.lease(queue, 1, 99, 200)).toEqual([]);
      expect(await on.store.nextJob(queue)).toBe(100);
      const second = await leaseOne(on, queue, 100, 200);
      expect(second).toMatchObject({ id: "a", attempt: 2 });
      expect(second.token).not.toBe(first.token);
    });

    test("are kept by a renewal, and only of their owner", async () => {
      const queue = `queue-${on.next()}`;
      await enqueue(on, job(queue, "a"));
      const first = await leaseOne(on, queue, 0, 100);
      await on.store.renew([first], 150);
      expect(await on.store.lease(queue, 1, 149, 200)).toEqual([]);
      const second = await leaseOne(on, queue, 150, 200);
      await on.store.renew([first], 1_000);
      expect(await on.store.nextJob(queue)).toBe(200);
      await on.store.renew([], 1_000);
      expect(await on.store.settle(second, { state: "done" }, [])).toEqual([]);
      await on.store.renew([second], 1_000);
      expect(await on.store.lease(queue, 1, 2_000, 3_000)).toEqual([]);
    });

    test("that have passed to another owner can't be settled, and their entries are not saved", async () => {
      const queue = `queue-${on.next()}`;
      const stream = `stream-${on.next()}`;
      const following = unnumbered(stream);
      await enqueue(on, job(queue, "a"));
      const first = await leaseOne(on, queue, 0, 100);
      const second = await leaseOne(on, queue, 100, 200);
      for (const settlement of [
        { state: "done" },
        { state: "retry", runAt: 0, error: "" },
        { state: "dead", error: "" },
      ] as const)
        expect(await on.store.settle(first, settlement, [following])).toBe(false);
      expect(await on.store.unpublished([stream])).toEqual([]);
      expect(await on.store.nextJob(queue)).toBe(200);
      expect(await on.store.settle(second, { state: "done" }, [])).toEqual([]);
      expect(await on.store.settle(second, { state: "done" }, [following])).toBe(false);
      expect(await on.store.settle({ ...second, id: "never there" }, { state: "done" }, [following])).toBe(false);
      expect(await on.store.unpublished([stream])).toEqual([]);
    });

    test("that failed are tried again at their time, as the next attempt", async () => {
      const queue = `queue-${on.next()}`;
      await enqueue(on, job(queue, "a"));
      const first = await leaseOne(on, queue, 0, 100);
      const again = { state: "retry", runAt: 50, error: "no answer \u{1F480}" } as const;
      expect(await on.store.settle(first, again, [])).toEqual([]);
      expect(await on.store.settle(first, { state: "done" }, [])).toBe(false);
      expect(await on.store.nextJob(queue)).toBe(50);
      expect(await on.store.lease(queue, 1, 49, 100)).toEqual([]);
      expect(await leaseOne(on, queue, 50, 100)).toMatchObject({ id: "a", attempt: 2, payload: { id: "a" } });
    });

    test("that were put off come again at their time, as the same attempt", async () => {
      const queue = `queue-${on.next()}`;
      await enqueue(on, job(queue, "a"));
      expect(await on.store.settle(await leaseOne(on, queue, 0, 100), { state: "put off", runAt: 50 }, [])).toEqual([]);
      expect(await on.store.lease(queue, 1, 49, 100)).toEqual([]);
      expect(await leaseOne(on, queue, 50, 100)).toMatchObject({ id: "a", attempt: 1 });
    });

    test("that are done or dead are never leased again", async () => {
      const queue = `queue-${on.next()}`;
      await enqueue(on, job(queue, "a"), job(queue, "b"));
      for (const leased of await on.store.lease(queue, 2, 0, 100))
        await on.store.settle(leased, leased.id === "a" ? { state: "done" } : { state: "dead", error: "no" }, []);
      expect(await on.store.nextJob(queue)).toBeNull();
      expect(await on.store.lease(queue, 2, 1_000_000, 2_000_000)).toEqual([]);
    });

    test("are forgotten when they ended before a moment, the oldest first, and others are not", async () => {
      const [queue, other] = [`queue-${on.next()}`, `queue-${on.next()}`];
      await enqueue(on, job(queue, "a"), job(queue, "b"), job(queue, "c"), job(other, "a"));
      await on.store.settle(await leaseOne(on, other, 0, 100), { state: "done" }, []);
      const [first, second] = await on.store.lease(queue, 2, 0, 100);
      if (first === undefined || second === undefined) throw new Error("two jobs must be due");
      await on.store.settle(first, { state: "done" }, []);
      await on.store.settle(second, { state: "dead", error: "no" }, []);
      const [longAgo, later] = [Date.now() - HOUR, Date.now() + HOUR];
      expect(await on.store.forget(queue, longAgo, 10)).toBe(0);
      expect(await on.store.forget(queue, later, 1)).toBe(1);
      await enqueue(on, job(queue, first.id), job(queue, second.id));
      expect((await on.store.lease(queue, 3, 0, 100)).map(({ id }) => id).toSorted()).toEqual(
        ["c", first.id].toSorted(),
      );
      expect(await on.store.forget(queue, later, 10)).toBe(1);
      expect(await on.store.forget(other, later, 10)).toBe(1);
    });

    test("save their outbox entries as they end, numbered in the order given", async () => {
      const queue = `queue-${on.next()}`;
      await enqueue(on, job(queue, "a"));
      const entries = ["x", "y", "z"].map((key) => unnumbered(queue, { key }));
      const saved = await on.store.settle(await leaseOne(on, queue, 0, 1), { state: "done" }, entries);
      if (saved === false) throw new Error("the job was leased");
      expect(saved.map(({ key }) => key)).toEqual(["x", "y", "z"]);
      const numbers = saved.map(({ sequence }) => sequence);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(new Set(numbers).size).toBe(3);
      expect(plain(await on.store.unpublished([queue]))).toEqual(plain(saved));
    });
  });
});
