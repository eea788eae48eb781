import { expect, test } from "vitest";
import { type Run, sideOf, summary } from "./summary.ts";

const output = (label: string, fanout: number, cpu: number, check: string): string =>
  [
    '{"mode":"preload","base":1,"fanout":100}',
    `{"label":"${label}-raw","rawSeconds":2.76,"rawEventsPerSecond":133016}`,
    `{"label":"${label}","drainSeconds":10.00,"messagesPerSecond":321,"fanoutPerSecond":${fanout},"cpuPerMillionFanoutWithoutJit":${cpu},"drainBrokerCpuSeconds":13.06,"validHorizon":true,"peakRssMiB":2339}`,
    check,
  ].join("\n");

const FINE = "check: fan-out 100, expected 50, equal 50, different 0, missing 0, unexpected 0, duplicates 0, early 0";

test("a run's figures and the reference's verdict are read from the output of its tools", () => {
  expect(sideOf("ours", "not finished: lag 3, out 0")).toBeNull();
  expect(sideOf("ours", output("ours", 3_000, 400, FINE))).toMatchObject({
    fanoutPerSecond: 3_000,
    cpu: 400,
    rawEventsPerSecond: 133_016,
    isValid: true,
    wrong: 0,
  });
  expect(
    sideOf("ours", output("ours", 1, 1, FINE.replace("missing 0, unexpected 0", "missing 4, unexpected 2")))?.wrong,
  ).toBe(6);
  const missing = "missing Key[user=u1, conversation=c2, first=m3] [m3]";
  expect(sideOf("ours", output("ours", 1, 1, `${missing}\n${FINE}`))?.examples).toEqual([missing]);
  expect(sideOf("ours", output("ours", 1, 1, ""))?.wrong).toBeNaN();
  expect(sideOf("ours", `${output("ours", 1, 1, FINE)}\n{"rawInNodePerSecond":70000}`)?.rawInNodePerSecond).toBe(
    70_000,
  );
});

test("medians stand beside each other, with their spread and the ratio", () => {
  const run = (label: string, fanout: number, cpu: number): Run =>
    sideOf(label, output(label, fanout, cpu, FINE)) as Run;
  const { ratio, lines } = summary([
    run("exactly_once_v2", 100, 20),
    run("ours", 150, 5),
    run("exactly_once_v2", 300, 10),
    run("ours", 250, 10),
    run("exactly_once_v2", 200, 40),
  ]);
  expect(ratio).toEqual({ throughput: 1, cpu: 0.375 });
  expect(lines).toContain("  recipient updates/s            200 (100 to 300)");
  expect(lines).toContain("  recipient updates/s            200 (150 to 250)");
  expect(lines.some((line) => line.includes("in Node"))).toBe(false);
  expect(lines.at(-1)).toBe("ours to theirs: 1.00 times the updates/s at 0.38 times the CPU");
});
