import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hintsAtDocker } from "./docker.ts";
import { tellMoves } from "./moves.ts";
import type { Place } from "./place.ts";
import { plan } from "./plan.ts";
import { scratch } from "./scratch.ts";

test("Docker is looked for where a variable or a file suggests it", async () => {
  const HOME = await scratch();
  expect(hintsAtDocker({ HOME, XDG_RUNTIME_DIR: HOME, DOCKER_HOST: "tcp://engine:2375" })).toBe(true);
  await writeFile(join(HOME, "docker.sock"), "");
  expect(hintsAtDocker({ HOME, XDG_RUNTIME_DIR: HOME })).toBe(true);
});

test("a part that moved since the last start is reported, for its data did not move along", async () => {
  const said: string[] = [];
  const place = { dataDir: await scratch(), voice: { say: (line: string) => said.push(line) } } as unknown as Place;
  await tellMoves(place, plan({}, "any", new Set(["kafka"])));
  await tellMoves(place, plan({}, "any", new Set(["kafka"])));
  expect(said).toEqual([]);
  await tellMoves(place, plan({ DATABASE_URL: "postgres://db/x" }, "any", new Set()));
  expect(said).toEqual([
    "kafka: last time a container, now a process: its data stayed there",
    "postgres: last time a process, now another server: its data stayed there",
  ]);
});
