/** The field with the rate at which our processor only reads and decodes. */
export const RAW = "rawInNodePerSecond";

/** The figures of one run. */
export interface Run {
  readonly label: string;
  readonly drainSeconds: number;
  readonly messagesPerSecond: number;
  readonly fanoutPerSecond: number;
  /** CPU seconds per million recipient updates, the database's included, without those of a JVM's JIT compilers. */
  readonly cpu: number;
  readonly brokerCpuSeconds: number;
  readonly peakRssMiB: number;
  /** Input records a second that one thread in Java only reads and decodes. */
  readonly rawEventsPerSecond: number;
  /** The same in Node; NaN for a run of the peer. */
  readonly [RAW]: number;
  /** Tells whether every record was drained before any was due: otherwise the figures mean nothing. */
  readonly isValid: boolean;
  /** The reference's verdict on the output, and the number of notifications that differ from it. */
  readonly check: string;
  /** Some of the differing notifications. */
  readonly examples: readonly string[];
  readonly wrong: number;
}

export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Reads the output of bench.sh for one run; null where it has no figures. */
export const sideOf = (label: string, output: string): Run | null => {
  const lines = output.split("\n");
  const objects = lines
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const own = objects.find((one) => one["label"] === label);
  if (own === undefined) return null;
  const raw = objects.find((one) => one["label"] === `${label}-raw`) ?? {};
  const number = (name: string, object: Record<string, unknown> = own): number => Number(object[name] ?? Number.NaN);
  const check = lines.find((line) => line.startsWith("check: ")) ?? "not checked";
  const counts = [...check.matchAll(/(different|missing|unexpected|duplicates|early) (\d+)/g)];
  return {
    label,
    drainSeconds: number("drainSeconds"),
    messagesPerSecond: number("messagesPerSecond"),
    fanoutPerSecond: number("fanoutPerSecond"),
    cpu: number("cpuPerMillionFanoutWithoutJit"),
    brokerCpuSeconds: number("drainBrokerCpuSeconds"),
    peakRssMiB: number("peakRssMiB"),
    rawEventsPerSecond: number("rawEventsPerSecond", raw),
    [RAW]: number(RAW, objects.find((one) => RAW in one) ?? {}),
    isValid: own["validHorizon"] === true,
    check,
    examples: lines.filter((line) => /^(missing|different|unexpected) /.test(line)),
    wrong: counts.length === 0 ? Number.NaN : counts.reduce((sum, [, , count]) => sum + Number(count), 0),
  };
};

const figureOf = (values: readonly number[]): Figure => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [below = 0, above = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return { median: (below + above) / 2, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
};

const FIGURES = [
  ["messagesPerSecond", "messages/s"],
  ["fanoutPerSecond", "recipient updates/s"],
  ["cpu", "CPU s per million updates"],
  ["brokerCpuSeconds", "broker's CPU s"],
  ["peakRssMiB", "peak memory, MiB"],
  ["rawEventsPerSecond", "raw limit in Java, records/s"],
  [RAW, "raw limit in Node, records/s"],
] as const;

/** Medians and spread of both sides, and our figure as a ratio of theirs. */
export const summary = (runs: readonly Run[]) => {
  const sides = Object.fromEntries(
    [...Map.groupBy(runs, ({ label }) => label)].map(([label, some]) => [
      label,
      Object.fromEntries(FIGURES.map(([name]) => [name, figureOf(some.map((run) => run[name]))])),
    ]),
  ) as Readonly<Record<string, Readonly<Record<(typeof FIGURES)[number][0], Figure>>>>;
  const { ours, exactly_once_v2: peer } = sides;
  const ratio =
    ours === undefined || peer === undefined
      ? null
      : {
          throughput: ours.fanoutPerSecond.median / peer.fanoutPerSecond.median,
          cpu: ours.cpu.median / peer.cpu.median,
        };
  const lines = Object.entries(sides).flatMap(([label, figures]) => [
    label,
    ...FIGURES.flatMap(([name, what]) =>
      Number.isNaN(figures[name].median) ? [] : [`  ${what.padEnd(30)} ${inWords(figures[name])}`],
    ),
  ]);
  const last =
    ratio === null ? [] : [`ours to theirs: ${times(ratio.throughput)} the updates/s at ${times(ratio.cpu)} the CPU`];
  return { runs, sides, ratio, lines: [...lines, ...last] };
};

const rounded = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 });
const inWords = ({ median, least, most }: Figure): string =>
  `${rounded(median)} (${rounded(least)} to ${rounded(most)})`;
const times = (ratio: number): string => `${ratio.toFixed(2)} times`;
