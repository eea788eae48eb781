import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { MAX_ID_LENGTH } from "../../services/platform/contract/identity.ts";
import { threadKey } from "../../services/inboxes/saved-parts.ts";
import {
  claimed,
  commitOf,
  type Ground,
  ground,
  job,
  leaseOne,
  PROCESSOR,
  row,
  stores,
  valuesOf,
} from "./store.suite.ts";

/** Text of three bytes a character, whose characters don't repeat. */
const longestId = (seed: number): string =>
  String.fromCodePoint(
    ...Array.from({ length: MAX_ID_LENGTH }, (_none, index) => 0x4e00 + ((index * 7_919 * seed) % 20_000)),
  );

/** A store returns every value and key unchanged. Both stores pass. */
describe.each(stores)("a store of hostile values %s", (_name, open) => {
  let on: Ground;
  beforeAll(async () => {
    on = ground(await open());
  });

  const hostile: readonly (readonly [string, unknown])[] = [
    ["NUL", { text: "a\u0000b", "\u0000": 1 }],
    ["lone surrogates", ["\ud800", "x\udfffy", "\udc00\ud800"]],
    ["__proto__ as a key", JSON.parse('{"__proto__": {"a": 1}, "constructor": 2, "toString": null}')],
    ["emoji", "👩‍👩‍👧‍👦🏴‍☠️"],
    ["a text of 1 MB", "ä".repeat(500_000)],
    ["an array of 100,000", Array.from({ length: 100_000 }, (_none, index) => index)],
    ["quotes and backslashes", `'"\\ $1 \${x} %s {"a":1} \\u0000 \r\n\u2028`],
    ["numbers at the ends", [Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, 1e308, 0.1, -1]],
    ["nested 1,000 deep", JSON.parse("[".repeat(1_000) + "]".repeat(1_000))],
    ["what is empty", [{}, [], "", 0, false, { a: null }]],
  ];

  test.each(hostile)("%s", async (_what, value) => {
    const hold = await claimed(on);
    const queue = `queue-${on.next()}`;
    await on.store.commit(commitOf([hold], { rows: [row(hold, "a", value)], jobs: [job(queue, "j", 0, value)] }));
    expect(await valuesOf(on, hold, "a")).toEqual([value]);
    expect((await leaseOne(on, queue, 0, 1)).payload).toEqual(value);
  });

  test("any JSON value", async () => {
    const hold = await claimed(on);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ noUnicodeString: false }), async (value) => {
        const json = JSON.parse(JSON.stringify(value)) as unknown;
        if (json === null) return;
        await on.store.commit(commitOf([hold], { rows: [row(hold, "a", value)] }));
        expect(await valuesOf(on, hold, "a")).toEqual([json]);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
    ["SQL", "'; drop table lanes; --"],
    ["an emoji", "👾"],
    ["a control character", "\u001f"],
    ["a blank", " "],
    ["two ids of the greatest length, which don't compress", threadKey(longestId(1), longestId(2))],
  ])("under the key %s", async (_what, key) => {
    const hold = await claimed(on);
    await on.store.commit(commitOf([hold], { rows: [row(hold, key, { key }, 1)] }));
    expect(await valuesOf(on, hold, key)).toEqual([{ key }]);
    expect(await on.store.due(PROCESSOR, [hold.lane], 1, 1)).toEqual([{ lane: hold.lane, key, due: 1 }]);
  });
});
