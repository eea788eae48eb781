import { SingleBar } from "cli-progress";
import type { Count } from "./side.ts";

/** Milliseconds between two lines on a stream that is no terminal, and milliseconds over which the rate is taken. */
const LINE_EVERY = 5_000;
const RATE_OVER = 10_000;
/** Updates over which the time left is estimated. */
const UPDATES = 50;

/** Display of the share that is done. */
export interface Progress extends Disposable {
  show(count: Count): void;
}

const FIGURES = "{percentage} %, {value} of {total} records, {rate}/s, {eta_formatted} left";

/** Shows a bar on a terminal; elsewhere a plain line every few seconds. */
export const progressBar = (stream: NodeJS.WriteStream): Progress => {
  const bar = new SingleBar({
    stream,
    format: stream.isTTY ? `folding [{bar}] ${FIGURES}` : `folding ${FIGURES}`,
    noTTYOutput: true,
    notTTYSchedule: LINE_EVERY,
    etaBuffer: UPDATES,
    hideCursor: true,
  });
  const rate = rateOver(RATE_OVER);
  let isStarted = false;
  return {
    show({ done, total }) {
      const payload = { rate: rate(done, performance.now()) };
      if (!isStarted) bar.start(total, done, payload);
      isStarted = true;
      bar.setTotal(total);
      bar.update(done, payload);
    },
    [Symbol.dispose]() {
      bar.stop();
    },
  };
};

/** Measures the growth of a value per second, over the latest samples. @param window milliseconds */
export const rateOver = (window: number): ((value: number, at: number) => number) => {
  let samples: (readonly [value: number, at: number])[] = [];
  return (value, at) => {
    samples = [...samples.filter(([, then]) => then >= at - window), [value, at]];
    const [first, since] = samples[0] ?? [value, at];
    return at === since ? 0 : Math.max(0, Math.round(((value - first) * 1_000) / (at - since)));
  };
};
