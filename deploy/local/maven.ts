import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildOnce } from "./build.ts";
import { run } from "./child.ts";
import { LocalStackError } from "./errors.ts";
import type { Java } from "./java.ts";
import type { Place } from "./place.ts";

const TICK_MS = 1_000;

/** A program that Maven fetches, as the pom beside this file says. */
export interface Fetched {
  readonly name: string;
  readonly pom: string;
  readonly version: string;
  /** Its folder in the cache; one that exists is whole. */
  readonly folder: string;
  /** The goal and its settings, without the output folder. The lists are tried in order until one works. */
  readonly goals: readonly (readonly string[])[];
}

/**
 * Describes a program for Maven to fetch. The folder's name changes with the pom, so that an upgrade is fetched anew.
 */
export function fetched(name: string, cacheDir: string, goals: Fetched["goals"]): Fetched {
  const pom = join(import.meta.dirname, name, "pom.xml");
  const text = readFileSync(pom, "utf8");
  const version = new RegExp(`<${name}\\.version>(.+)</`).exec(text)?.[1] ?? "";
  const mark = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return { name, pom, version, folder: join(cacheDir, `${name}-${version}-${mark}`), goals };
}

/** Tells whether it is in the cache. */
export function isCached(what: Fetched): boolean {
  return existsSync(what.folder);
}

/** Fetches it unless it is cached. Throws LocalStackError with the end of Maven's log. */
export function download(place: Place, java: Java, what: Fetched): Promise<string> {
  return buildOnce(what.folder, async (temporary) => {
    const began = performance.now();
    const seconds = () => `${Math.round((performance.now() - began) / 1000)} s`;
    let state = "asking Maven";
    const tick = () => place.voice.moving(what.name, `downloading ${what.version}: ${state}, ${seconds()}`);
    const timer = setInterval(tick, TICK_MS);
    tick();
    try {
      await firstThatWorks(place, java, what, temporary, (text) => (state = progress(text) ?? state));
    } finally {
      clearInterval(timer);
      place.voice.still(what.name);
    }
    place.voice.say(`${what.name}: ${what.version} fetched into ${what.folder} in ${seconds()}`);
  });
}

/** The progress in a piece of Maven's output: the large files' megabytes, else the last file's name. */
export function progress(text: string): string | undefined {
  const marks = /Progress \(\d+\): ([^\r\n]* MB[^\r\n]*)|Download(?:ing|ed) from \S+: \S*\/(\S+)|(Unpacking)/g;
  const [, megabytes, file, unpacking] = [...text.matchAll(marks)].at(-1) ?? [];
  return megabytes?.trim() ?? file ?? (unpacking && "unpacking");
}

async function firstThatWorks(
  place: Place,
  java: Java,
  what: Fetched,
  folder: string,
  onOutput: (text: string) => void,
): Promise<void> {
  const failures: string[] = [];
  for (const goal of what.goals) {
    try {
      await run(place.dataDir, { ...maven(place, java, what, folder, goal), onOutput });
      return;
    } catch (error) {
      if (!(error instanceof LocalStackError)) throw error;
      failures.push(error.message);
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder);
    }
  }
  throw new LocalStackError(failures[0]);
}

function maven(place: Place, java: Java, what: Fetched, folder: string, goal: readonly string[]) {
  return {
    name: `maven-${what.name}`,
    command: "mvn",
    // No --batch-mode: with it a file of 100 MB is one silent minute.
    args: ["-f", what.pom, "-Dstyle.color=never", ...goal, `-DoutputDirectory=${folder}`],
    cwd: folder,
    // Maven gets the operator's environment: HOME, proxies, certificates, settings.
    environment: { ...place.environment, ...(java.home ? { JAVA_HOME: java.home } : {}) },
    stop: "SIGTERM" as const,
  };
}
