/** The distribution of a value that was measured many times. */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export const spreadOf = (values: readonly number[]): Spread => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), most: sorted.at(-1) ?? 0 };
};

export const inWords = ({ p50, p99, most }: Spread): string =>
  `p50 ${Math.round(p50)}, p99 ${Math.round(p99)}, at most ${Math.round(most)} ms`;
