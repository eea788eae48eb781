import { isDeepStrictEqual } from "node:util";

/** Paths named of a differing row, and characters shown of a value. */
const MAX_PLACES = 3;
const MAX_SHOWN = 60;

/** Names the first few differences of two values: `open.c1.until: 5 | 7`, with `-` for a missing value. */
export const differences = (live: unknown, rebuilt: unknown): readonly string[] => {
  const found = [...walk("", live, rebuilt)];
  const more = found.length > MAX_PLACES ? [`and ${found.length - MAX_PLACES} more`] : [];
  return [...found.slice(0, MAX_PLACES), ...more];
};

function* walk(path: string, live: unknown, rebuilt: unknown): Generator<string> {
  if (isDeepStrictEqual(live, rebuilt)) return;
  if (!isTree(live) || !isTree(rebuilt) || Array.isArray(live) !== Array.isArray(rebuilt)) {
    yield `${path === "" ? "the row" : path}: ${shown(live)} | ${shown(rebuilt)}`;
    return;
  }
  for (const name of new Set([...Object.keys(live), ...Object.keys(rebuilt)]))
    yield* walk(path === "" ? name : `${path}.${name}`, own(live, name), own(rebuilt, name));
}

type Tree = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null;
const own = (tree: Tree, name: string): unknown => (Object.hasOwn(tree, name) ? tree[name] : undefined);

const shown = (value: unknown): string => {
  const text = value === undefined ? "-" : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
};
