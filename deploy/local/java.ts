import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Missing } from "./errors.ts";

/** The oldest Java that runs both Kafka and the registry. */
const OLDEST = 17;
const WHERE = ["/usr/lib/jvm", "/opt/java"];

/** A Java runtime that is new enough. */
export interface Java {
  readonly command: string;
  readonly version: number;
  /** Its folder, where it is not on the PATH. */
  readonly home?: string;
}

/** JAVA_HOME's Java, else that on the PATH, else any under /usr/lib/jvm: the first that is new enough. */
export function findJava(environment: Record<string, string | undefined>): Java | Missing {
  const homes = environment["JAVA_HOME"] ? [environment["JAVA_HOME"]] : [];
  const found: string[] = [];
  for (const home of [...homes, "", ...installedHomes()]) {
    const command = home ? join(home, "bin/java") : "java";
    const version = javaVersion(printed(command, ["-version"], environment));
    if (version === undefined) continue;
    if (version >= OLDEST) return { command, version, ...(home ? { home } : {}) };
    found.push(`${command} is ${version}`);
  }
  return {
    what: `Java ${OLDEST} or newer`,
    found: found.length ? `found only: ${found.join(", ")}` : "no java found",
    install: "apt-get install openjdk-17-jre-headless, brew install openjdk@17, or set JAVA_HOME",
  };
}

/** An error for a missing Maven, which fetches Kafka and the registry; undefined when it is there. */
export function missingMaven(environment: Record<string, string | undefined>): Missing | undefined {
  if (/Apache Maven/.test(printed("mvn", ["-version"], environment) ?? "")) return undefined;
  return {
    what: "Maven 3",
    found: "no mvn that works on the PATH",
    install: "apt-get install maven or brew install maven",
  };
}

/** The major version in the output of `java -version`: 17 of '17.0.15', 8 of '1.8.0_392'. */
export function javaVersion(text: string | undefined): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(text ?? "");
  return match ? Number(match[1]) : undefined;
}

function installedHomes(): string[] {
  return WHERE.flatMap((folder) => {
    try {
      return readdirSync(folder).map((name) => join(folder, name));
    } catch {
      return [];
    }
  });
}

function printed(command: string, args: string[], environment: Record<string, string | undefined>): string | undefined {
  const done = spawnSync(command, args, { encoding: "utf8", env: environment, timeout: 20_000 });
  return done.error ? undefined : done.stdout + done.stderr;
}
