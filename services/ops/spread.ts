/** Durations counted by size, to about one percent, so that many fit into little memory. */
export interface Spread {
  add(milliseconds: number): void;
  count(): number;
  /** Mean in seconds; null: there are no durations. */
  mean(): number | null;
  /** Seconds below which a share of the durations lies, to about one percent; null: there are none. */
  quantile(share: number): number | null;
}

const STEP = Math.log(1.02);

export const spread = (): Spread => {
  const counts: number[] = [];
  let count = 0;
  let sum = 0;
  return {
    add(milliseconds) {
      const size = Math.round(Math.log(Math.max(1, milliseconds)) / STEP);
      counts[size] = (counts[size] ?? 0) + 1;
      count++;
      sum += milliseconds;
    },
    count: () => count,
    mean: () => (count === 0 ? null : sum / count / 1000),
    quantile(share) {
      let below = 0;
      for (const [size, some] of counts.entries()) {
        below += some ?? 0; // sizes without durations are holes
        if (below > 0 && below >= share * count) return Math.exp(size * STEP) / 1000;
      }
      return null;
    },
  };
};
