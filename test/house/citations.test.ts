import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** Files of the repository, new ones included. */
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)));

/** One line of a comment or a page. */
interface Line {
  readonly file: string;
  readonly number: number;
  readonly text: string;
}

/** Reads the lines of a page. */
const proseOf = (file: string): readonly Line[] =>
  read(file)
    .split("\n")
    .map((text, index) => ({ file, number: index + 1, text }));

/** Reads the comments of TypeScript or SQL: a string that holds the mark of a comment between blanks counts as one. */
const commentsOf = (file: string): readonly Line[] => {
  let isInBlock = false;
  return proseOf(file).flatMap((line) => {
    const block = isInBlock || /^\s*\/\*/.test(line.text);
    if (block) isInBlock = !line.text.includes("*/");
    if (block) return [line];
    const text = /(?:^|\s)(?:\/\/|--|\/\*\*) (.*)$/.exec(line.text)?.[1];
    return text === undefined ? [] : [{ ...line, text }];
  });
};

const lines = files.flatMap((file): readonly Line[] => {
  if (/\.(?:md|liquid)$/.test(file)) return proseOf(file);
  return /\.(?:ts|sql)$/.test(file) ? commentsOf(file) : [];
});

const ROOTED = /(?<![\w./@-])(?:services|test|deploy|schemas|templates)\/(?:[\w./*-]|\{[\w,-]+\})*/g;
/** A file's name; one in capitals, such as FILE.json, stands for a file of the reader's. */
const NAMED = /(?<![\w./-])(?![A-Z]+\.)(?:[\w-]+\/)*\.?[\w-]+(?:\.[\w-]+)*\.(?:ts|sql|avsc|liquid|json)\b/g;
const PAGE = /(?<![\w:/.-])(?:[\w.-]+\/)*[\w.-]+\.md\b/g;
const LINK = /\]\((?!\w+:|#)([^)#\s]+)/g;
const SECTION = /((?:[\w.-]+\/)*[\w.-]+\.md)[,)]? "([^"]+)"/g;

/** Finds a path from the repository's root, with braces and stars as a shell has them. */
const isThere = (path: string): boolean =>
  /[*{]/.test(path) ? globSync(path, { cwd: root }).length > 0 : existsSync(join(root, path));

/** Finds a page beside the file that cites it, or from the repository's root; null where it lies outside of both. */
const pageOf = (path: string, file: string): string | null =>
  [normalize(join(dirname(file), path)), path].find((place) => !place.startsWith("..") && isThere(place)) ?? null;

const isOutside = (path: string, file: string): boolean => normalize(join(dirname(file), path)).startsWith("..");

/** Lists the paths of a line that lead nowhere. */
const missingIn = ({ text, file }: Line): readonly string[] => {
  const rooted = [...text.matchAll(ROOTED)].map(([path]) => path.replace(/\.$/, ""));
  const named = [...text.matchAll(NAMED)].map(([path]) => path);
  const pages = [...text.matchAll(PAGE)].map(([path]) => path);
  const links = file.endsWith(".md") ? [...text.matchAll(LINK)].map(([, path = ""]) => path) : [];
  const missing = [
    ...rooted.filter((path) => !isThere(path)),
    ...named.filter((path) => !files.some((known) => known === path || known.endsWith(`/${path}`))),
    ...[...pages, ...links].filter((path) => !isOutside(path, file) && pageOf(path, file) === null),
  ];
  return [...new Set(missing)];
};

const headingsOf = (page: string): ReadonlySet<string | undefined> =>
  new Set([...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title]) => title));

/** Lists the sections that a line cites and that the page doesn't have. */
const missingSectionsIn = ({ text, file }: Line): readonly string[] =>
  [...text.matchAll(SECTION)].flatMap(([, path = "", title = ""]) => {
    const page = pageOf(path, file);
    const isKnown = page === null || headingsOf(page).has(title);
    return isKnown ? [] : [`${path}, "${title}"`];
  });

const found = (missing: (line: Line) => readonly string[]): readonly string[] =>
  lines.flatMap((line) => missing(line).map((path) => `${line.file}:${line.number}: ${path}`));

test("every citation in a comment or a page points at a file that is there", () => {
  expect(lines.length).toBeGreaterThan(1_000);
  expect(found(missingIn)).toEqual([]);
});

test("every section that is cited is a heading of its page", () => {
  expect(found(missingSectionsIn)).toEqual([]);
});

test("every promise names how it is tested", () => {
  const [, ...promises] = read("services/guarantees.md").split(/^### /m);
  expect(promises.length).toBeGreaterThan(20);
  for (const promise of promises) expect(promise).toMatch(/^Tests?: `[\w./-]+\.test\.ts`/m);
});
