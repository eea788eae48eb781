/** Wakes loops of this process at once when there is work for them; loops of other processes poll for it. */
export interface Wakeups {
  wake(name: string): void;
  /** Resolves at the next wake of that name, or when the signal aborts. */
  arrival(name: string, signal: AbortSignal): Promise<void>;
}

export const wakeups = (): Wakeups => {
  const waiting = new Map<string, Set<() => void>>();
  return {
    wake(name) {
      const all = waiting.get(name);
      waiting.delete(name);
      for (const resolve of all ?? []) resolve();
    },
    arrival: (name, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const all = waiting.get(name) ?? new Set();
        waiting.set(name, all);
        all.add(resolve);
        signal.addEventListener(
          "abort",
          () => {
            all.delete(resolve);
            resolve();
          },
          { once: true },
        );
      }),
  };
};
