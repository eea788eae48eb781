import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { buildOnce } from "./build.ts";
import { scratch } from "./scratch.ts";

const target = async () => join(await scratch(), "jars");

test("a folder is built once", async () => {
  const folder = await target();
  let built = 0;
  const build = async (temporary: string) => writeFile(join(temporary, "jar"), String(++built));
  await buildOnce(folder, build);
  await buildOnce(folder, build);
  expect(await readFile(join(folder, "jar"), "utf8")).toBe("1");
});

test("a failed build leaves no folder", async () => {
  const folder = await target();
  await expect(buildOnce(folder, () => Promise.reject(new Error("no net")))).rejects.toThrow("no net");
  expect(await readdir(dirname(folder))).toEqual([]);
});

test("a folder that another process built first stays", async () => {
  const folder = await target();
  await buildOnce(folder, async () => {
    await mkdir(folder);
    await writeFile(join(folder, "jar"), "theirs");
  });
  expect(await readFile(join(folder, "jar"), "utf8")).toBe("theirs");
  expect(await readdir(dirname(folder))).toEqual(["jars"]);
});

test("leftovers of a dead builder are removed, those of a living one are not", async () => {
  const folder = await target();
  const dead = `${folder}.new-${2 ** 22 + 1}-0123456789ab-01234567`;
  await mkdir(dead);
  await buildOnce(folder, async (slow) => {
    await buildOnce(folder, async (fast) => expect(fast).not.toBe(slow));
    expect(existsSync(slow)).toBe(true);
  });
  expect(await readdir(dirname(folder))).toEqual(["jars"]);
});
