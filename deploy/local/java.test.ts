import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { missingError } from "./errors.ts";
import { findJava, javaVersion, missingMaven } from "./java.ts";
import { scratch } from "./scratch.ts";

async function home(printed: string): Promise<string> {
  const folder = await scratch();
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "bin/java"), `#!/bin/sh\necho '${printed}' >&2\n`);
  await chmod(join(folder, "bin/java"), 0o755);
  return folder;
}

test("the version is read from the output of java", () => {
  expect(javaVersion('openjdk version "17.0.15" 2025-04-15')).toBe(17);
  expect(javaVersion('java version "1.8.0_392"')).toBe(8);
  expect(javaVersion('openjdk version "25" 2025-09-16')).toBe(25);
  expect(javaVersion("Unable to locate a Java Runtime")).toBeUndefined();
});

test("JAVA_HOME goes first", async () => {
  const JAVA_HOME = await home('openjdk version "21.0.1"');
  expect(findJava({ JAVA_HOME, PATH: "/nowhere" })).toMatchObject({
    command: join(JAVA_HOME, "bin/java"),
    version: 21,
  });
});

test("all missing programs are named at once, with the packages to install", () => {
  const maven = missingMaven({ PATH: "/nowhere" });
  const java = { what: "Java 17 or newer", found: "found only: java is 11", install: "apt-get install openjdk-17-jre" };
  const { message } = missingError([java, maven ?? java]);
  expect(message).toMatch(/Java 17 or newer \(found only: java is 11\): apt-get install openjdk-17-jre/);
  expect(message).toMatch(/Maven 3 .*: apt-get install maven/);
  expect(message).toMatch(/KAFKA_BROKERS.*Docker/);
});
