import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_BATCH, MAX_REQUEST, type Placed, produceRequests, unanswered } from "./produce-requests.ts";

const record = fc.record({
  topic: fc.constantFrom("inbox", "notifications"),
  partition: fc.nat(2),
  key: fc.constantFrom(null, "ada"),
  // Sizes around the limit, and many small ones.
  value: fc.oneof(fc.nat(1_000), fc.integer({ min: 300_000, max: 1_100_000 })).map((size) => new Uint8Array(size)),
}) satisfies fc.Arbitrary<Placed>;

const bytes = (records: readonly Placed[]): number => records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);

test("every record is in one request, in order, and no batch of several is beyond the limit", () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 60 }), (records) => {
      const split = produceRequests(records);
      expect(split.flat()).toEqual(records);
      for (const request of split) {
        expect(request.length).toBeGreaterThan(0);
        for (const batch of Map.groupBy(request, ({ topic, partition }) => `${topic}/${partition}`).values())
          if (batch.length > 1) expect(bytes(batch)).toBeLessThanOrEqual(MAX_BATCH);
        if (request.length > 1) expect(bytes(request)).toBeLessThanOrEqual(MAX_REQUEST);
      }
    }),
    { numRuns: 30 },
  );
});

test("records that fit go in one request, and no records in none", () => {
  const small: Placed = { topic: "inbox", partition: 0, key: "a", value: new Uint8Array(100), headers: { a: "b" } };
  expect(produceRequests(Array.from({ length: 1_000 }, () => small))).toHaveLength(1);
  expect(produceRequests([])).toEqual([]);
});

test("keys and headers count by their bytes", () => {
  const wide = "ä".repeat(300_000);
  const keyed: Placed = { topic: "inbox", partition: 0, key: wide, value: null };
  const headed: Placed = { topic: "inbox", partition: 0, key: null, value: null, headers: { [wide]: "" } };
  expect(produceRequests([keyed, keyed])).toHaveLength(2);
  expect(produceRequests([headed, headed])).toHaveLength(2);
});

test("records of partitions that no answer names are still to be sent, in their order", () => {
  const to = (topic: Placed["topic"], partition: number, key: string): Placed => ({
    topic,
    partition,
    key,
    value: null,
  });
  const records = [to("inbox", 0, "a"), to("inbox", 1, "b"), to("ledger", 0, "c"), to("inbox", 1, "d")];
  const answers = [
    { topic: "inbox", partition: 0 },
    { topic: "ledger", partition: 0 },
  ] as const;
  expect(unanswered(records, answers).map(({ key }) => key)).toEqual(["b", "d"]);
});
