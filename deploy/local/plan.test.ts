import { expect, test } from "vitest";
import { modeOf, plan, type Part } from "./plan.ts";

const images = (...parts: Part[]) => new Set(parts);
const kinds = (environment: Record<string, string>, had: ReadonlySet<Part>) =>
  Object.fromEntries(Object.entries(plan(environment, "any", had)).map(([part, { kind }]) => [part, kind]));

test("the environment goes first, then Docker, then processes", () => {
  const environment = { KAFKA_BROKERS: "k:9092" };
  expect(plan(environment, "any", images("kafka", "postgres"))).toEqual({
    kafka: { kind: "given", address: "k:9092" },
    registry: { kind: "process" },
    postgres: { kind: "docker" },
  });
});

test("without images all are processes", () => {
  expect(kinds({}, images())).toEqual({ kafka: "process", registry: "process", postgres: "process" });
});

test("a registry in Docker needs a PostgreSQL in Docker", () => {
  expect(kinds({}, images("registry"))["registry"]).toBe("process");
  expect(kinds({ DATABASE_URL: "postgres://db/x" }, images("registry", "postgres"))["registry"]).toBe("process");
  expect(kinds({}, images("registry", "postgres"))["registry"]).toBe("docker");
});

test("LOCAL_STACK=docker names the parts that Docker cannot run", () => {
  expect(() => plan({}, "docker", images("kafka"))).toThrow(/no container can be had for registry, postgres/);
  expect(() => plan({ DATABASE_URL: "d", SCHEMA_REGISTRY_URL: "s" }, "docker", images("kafka"))).not.toThrow();
});

test("LOCAL_STACK is one of three words", () => {
  expect(modeOf({})).toBe("any");
  expect(modeOf({ LOCAL_STACK: "processes" })).toBe("processes");
  expect(() => modeOf({ LOCAL_STACK: "podman" })).toThrow(/podman/);
});
