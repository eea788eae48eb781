import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { folders } from "./layers.ts";

const services = new URL("../../services/", import.meta.url);

/** Lists the folders in a folder of `services/`, those with folders of their own rules left out. */
const foldersIn = (parent: string, ...without: readonly string[]): readonly string[] =>
  readdirSync(new URL(parent, services), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !without.includes(entry.name))
    .map(({ name }) => `${parent}${name}`);

test("every folder of services and of the platform has lint rules for its imports", () => {
  const found = [
    ...foldersIn("", "platform"),
    ...foldersIn("platform/", "adapters"),
    ...foldersIn("platform/adapters/"),
  ];
  const remedy = "name the folder in `services` or `platform` in test/house/layers.ts";
  expect(found.toSorted(), remedy).toEqual(folders.toSorted());
});
