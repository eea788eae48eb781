import { describe, expect, test } from "vitest";
import type { LaneProgress, OutboxEntry } from "../../contract/ports.ts";
import type { Stage } from "../../contract/processor.ts";
import { laneStream } from "../../contract/stream.ts";
import { memoryLog } from "../../memory/log.ts";
import { memoryStore } from "../../memory/store.ts";
import { relay } from "../output/relay.ts";
import { openWatermark } from "./watermark.ts";
import { type OwnProgress, watermarkProbe } from "./watermark-probe.ts";

const orders = { topic: "orders", partition: 0 };
const parcels = { topic: "parcels", partition: 0 };
/** A stage that folds orders into parcels. */
const packer: Stage = { processor: "packer", home: "orders", from: ["orders"], to: "parcels", by: "folded" };
/** A stage that folds parcels into trucks. */
const loader: Stage = { processor: "loader", home: "parcels", from: ["parcels"], to: "trucks", by: "folded" };

/** A processor of one lane that reads `topic`, and a probe of its watermark through the stages upstream. */
const probing = (upstream: readonly Stage[], topic: string, more: Partial<OwnProgress> = {}) => {
  const log = memoryLog({ now: () => 0 }, 1);
  const store = memoryStore();
  const publisher = relay(log, store);
  const partitions = [{ topic, partition: 0 }];
  const fed = upstream.map(({ to }) => to);
  const watermark = openWatermark(partitions, [0], 1, fed, []);
  const own = { processor: "own", lanes: [0], isAlone: true, partitions, global: [], progress: () => [], ...more };
  return {
    log,
    store,
    relay: publisher,
    watermark,
    probe: watermarkProbe(upstream, own, watermark, { log, store, relay: publisher }),
    put: (to: string) => log.publish([{ topic: to, key: "a", value: new Uint8Array() }]),
    /** Commits progress of a stage's one lane. */
    async commit(processor: string, progress: Partial<LaneProgress>, outbox: readonly OutboxEntry[] = []) {
      const [lane] = await store.claim(processor, [0]);
      if (lane === undefined) throw new Error("the lane was not claimed");
      const lanes = [{ ...lane, ...progress }];
      await store.commit({ processor, lanes, revisit: null, rows: [], outbox, jobs: [] });
    },
  };
};
const parcelOf = (processor: string, sequence: number): OutboxEntry => ({
  stream: laneStream(processor, 0),
  sequence,
  topic: "parcels",
  partition: 0,
  key: "a",
  value: new Uint8Array(),
});

describe("without stages upstream", () => {
  test("the watermark is the probe's moment where nothing is left to read", async () => {
    const { watermark, probe } = probing([], "orders");
    await probe.advance(100, 100);
    expect(watermark.time()).toBe(100);
  });

  test("the watermark waits for the records that were on the log at the probe's moment", async () => {
    const { watermark, probe, put } = probing([], "orders");
    await put("orders");
    await probe.advance(100, 100);
    expect(watermark.time()).toBe(-1);
    await put("orders"); // later than the probe
    watermark.advance(orders, 1, 50);
    expect(watermark.time()).toBe(100);
  });

  test("no probe is made for a time that the watermark has reached", async () => {
    const { watermark, probe } = probing([], "orders");
    await probe.advance(100, 100);
    await probe.advance(200, 100);
    expect(watermark.time()).toBe(100);
    await probe.advance(200, 101);
    expect(watermark.time()).toBe(200);
  });
});

describe("a stage upstream", () => {
  test("passes the probe's moment on where it has folded every record by then", async () => {
    const { watermark, probe, put, commit } = probing([packer], "parcels");
    await put("orders");
    await commit("packer", { cursors: { "orders/0": 1 }, watermark: 40 });
    await probe.advance(100, 100);
    expect(watermark.time()).toBe(100);
  });

  test("passes its own watermark on where it lags", async () => {
    const { watermark, probe, put, commit } = probing([packer], "parcels");
    await put("orders");
    await commit("packer", { cursors: { "orders/0": 0 }, watermark: 40 });
    await probe.advance(100, 100);
    expect(watermark.time()).toBe(40);
  });

  test("that has never run passes nothing on while a record waits for it", async () => {
    const { watermark, probe, put } = probing([packer], "parcels");
    await put("orders");
    await probe.advance(100, 100);
    expect(watermark.time()).toBe(-1);
  });

  test("that sends strays on counts by the records it has read, not by those it has folded", async () => {
    const { watermark, probe, put, commit } = probing([{ ...packer, by: "read" }], "parcels");
    await put("orders");
    await commit("packer", { cursors: {}, watermark: 40, readOffsets: { "orders/0": 1 }, readWatermark: 60 });
    await probe.advance(100, 100);
    expect(watermark.time()).toBe(100);
  });

  test("holds the stage behind it back where it lags itself", async () => {
    const { watermark, probe, put, commit } = probing([packer, loader], "trucks");
    await put("orders");
    await commit("packer", { cursors: { "orders/0": 0 }, watermark: 40 });
    await commit("loader", { cursors: {}, watermark: 90 }); // no parcel waits for it
    await probe.advance(100, 100);
    expect(watermark.time()).toBe(40);
  });
});

describe("records that a stage has committed", () => {
  const saved = async (sequence: number, entries: readonly number[]) => {
    const made = probing([packer], "parcels");
    await made.put("orders");
    await made.commit(
      "packer",
      { cursors: { "orders/0": 1 }, watermark: 40, sequence },
      entries.map((each) => parcelOf("packer", each)),
    );
    return made;
  };

  test("are waited for until they are published, and then read", async () => {
    const { watermark, probe, relay: publisher, store } = await saved(1, [1]);
    await probe.advance(100, 100);
    expect(watermark.time()).toBe(-1);
    publisher.offer(await store.unpublished([laneStream("packer", 0)]));
    await publisher.step();
    await probe.advance(200, 200);
    expect(watermark.time()).toBe(-1); // one parcel is on the log and not read
    watermark.advance(parcels, 1, 50);
    expect(watermark.time()).toBe(100);
  });

  test("after the probe had asked the stage are not waited for", async () => {
    const { watermark, probe, store, commit } = await saved(1, [1]);
    await probe.advance(100, 100);
    await store.published([parcelOf("packer", 1)]);
    await commit("packer", { cursors: { "orders/0": 2 }, watermark: 40, sequence: 2 }, [parcelOf("packer", 2)]);
    await probe.advance(200, 100);
    expect(watermark.time()).toBe(100);
  });

  test("keep one probe under way: a later moment does not take its place", async () => {
    const { watermark, probe, store } = await saved(1, [1]);
    await probe.advance(100, 100);
    await probe.advance(150, 150);
    await store.published([parcelOf("packer", 1)]);
    await probe.advance(200, 100);
    expect(watermark.time()).toBe(100);
  });
});

describe("a stage that is the probing processor itself", () => {
  const itself: Stage = { processor: "own", home: "orders", from: ["orders"], to: "parcels", by: "folded" };
  const progress = { lane: 0, cursors: { "orders/0": 1 }, readOffsets: {}, watermark: 70, readWatermark: 70 };

  test("counts by its progress in memory, which is ahead of the store's", async () => {
    const { watermark, probe, put } = probing([itself], "parcels", { progress: () => [{ ...progress, sequence: 0 }] });
    await put("orders");
    await probe.advance(100, 100);
    expect(watermark.time()).toBe(100);
  });

  test("waits for the records that its relay has not published", async () => {
    const made = probing([itself], "parcels", { progress: () => [{ ...progress, sequence: 1 }] });
    await made.put("orders");
    made.relay.offer([parcelOf("own", 1)]);
    await made.probe.advance(100, 100);
    expect(made.watermark.time()).toBe(-1);
    await made.relay.step();
    await made.probe.advance(200, 200);
    made.watermark.advance(parcels, 1, 50);
    expect(made.watermark.time()).toBe(100);
  });

  test("asks the store for its lanes elsewhere", async () => {
    const made = probing([itself], "parcels", {
      lanes: [1],
      isAlone: false,
      progress: () => [{ ...progress, lane: 1, sequence: 0 }],
    });
    await made.put("orders");
    await made.commit("own", { cursors: {}, watermark: 30 }); // lane 0, another process's
    await made.probe.advance(100, 100);
    expect(made.watermark.time()).toBe(30);
  });
});
