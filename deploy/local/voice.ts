const PLAIN_EVERY_MS = 5_000;

/** The stack's progress: whole lines, and lines that move during long work. */
export interface Voice {
  /** Prints a line that stays. */
  readonly say: (line: string) => void;
  /** The present state of the named long work; drawn in place on a terminal, else a plain line now and then. */
  readonly moving: (name: string, state: string) => void;
  /** Ends the named work: its moving line goes. */
  readonly still: (name: string) => void;
}

/** A voice over `say`; `screen` is where moving lines are drawn when it is a terminal. */
export function voice(
  say: (line: string) => void,
  screen: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write"> = process.stderr,
): Voice {
  const states = new Map<string, string>();
  const said = new Map<string, number>();
  const draw = () => {
    if (!screen.isTTY) return;
    const line = [...states].map(([name, state]) => `${name}: ${state}`).join(" · ");
    screen.write(`\r\u001b[K${line.slice(0, (screen.columns || 80) - 1)}`);
  };
  return {
    say: (line) => {
      if (screen.isTTY && states.size > 0) screen.write("\r\u001b[K");
      say(line);
      if (states.size > 0) draw();
    },
    moving: (name, state) => {
      states.set(name, state);
      if (screen.isTTY) return draw();
      const now = performance.now();
      if (now - (said.get(name) ?? now - PLAIN_EVERY_MS) < PLAIN_EVERY_MS) return;
      said.set(name, now);
      say(`${name}: ${state}`);
    },
    still: (name) => {
      if (states.delete(name)) draw();
    },
  };
}
