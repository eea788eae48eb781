/** Tells loops of this process at once that there is work for them; those of other processes find it by looking. */
export interface Wakeups {
  ring(name: string): void;
  /** Resolves at the next ring of that name, or when the signal aborts. */
  arrival(name: string, signal: AbortSignal): Promise<void>;
}

export const wakeups = (): Wakeups => {
  const waiting = new Map<string, Set<() => void>>();
  return {
    ring(name) {
      const all = waiting.get(name);
      waiting.delete(name);
      for (const wake of all ?? []) wake();
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
