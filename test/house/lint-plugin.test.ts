import { RuleTester } from "oxlint/plugins-dev";
import { describe, it } from "vitest";
import plugin from "./lint-plugin.ts";

RuleTester.describe = describe;
RuleTester.it = it;

const tester = new RuleTester({ languageOptions: { parserOptions: { lang: "ts" } }, eslintCompat: true });

const filename = (path: string): string => `/repository/services/${path}`;

/** Runs one rule over code by file: code that it must refuse, with words of its reason, and code that it must let pass. */
const spec = (
  name: "imports" | "purity",
  refused: readonly (readonly [path: string, code: string, reason: RegExp])[],
  passed: readonly (readonly [path: string, code: string])[],
): void => {
  const rule = plugin.rules[name];
  if (rule === undefined) throw new Error(`the plugin has no rule ${name}`);
  tester.run(name, rule, {
    valid: passed.map(([path, code]) => ({ name: `${path} may have: ${code}`, filename: filename(path), code })),
    invalid: refused.map(([path, code, reason]) => ({
      name: `${path} may not have: ${code}`,
      filename: filename(path),
      code,
      errors: [{ message: reason }],
    })),
  });
};

const ALONE = /^domain imports from domain, platform\/contract alone\.$/;
const HOME = /^Only platform\/adapters\/\w+ imports/;

spec(
  "imports",
  [
    ["domain/ids.ts", `import { log } from "../platform/app/log.ts";`, ALONE],
    ["domain/ids.ts", `import type { A } from "../platform/app/log.ts";`, ALONE],
    ["domain/ids.ts", `export type { A } from "../platform/app/log.ts";`, ALONE],
    ["domain/ids.ts", `export * from "../platform/app/log.ts";`, ALONE],
    ["domain/ids.ts", `type A = import("../platform/app/log.ts").A;`, ALONE],
    ["domain/ids.ts", `const f = async () => import("../platform/app/log.ts");`, ALONE],
    ["domain/ids.ts", "const f = async () => import(`../platform/app/log.ts`);", ALONE],
    ["domain/ids.ts", `import { all } from "../all.ts";`, ALONE],
    ["domain/ids.ts", "const f = async (name: string) => import(`./${name}.ts`);", /can't see/],
    ["domain/ids.ts", `import fs = require("fs");`, /can't see/],
    ["ops/read.ts", `import { createRequire } from "node:module";`, /by `import` alone/],
    ["inboxes/when.ts", `import { rule } from "../mailer/rule.ts";`, /^inboxes imports from/],
    ["platform/engine/step.ts", `import { pool } from "../adapters/postgres/pool.ts";`, /^platform\/engine imports/],
    ["domain/ids.ts", `import { Kafka } from "kafkajs";`, HOME],
    ["domain/ids.ts", `import { Kafka } from "kafkajs/src/index.js";`, HOME],
    ["platform/app/serve.ts", `import pg from "pg/lib/client.js";`, HOME],
    ["platform/app/serve.ts", `type A = import("@kafkajs/confluent-schema-registry/dist/api").A;`, HOME],
    ["domain/ids.ts", `import { expect } from "vitest";`, /^No folder is the home of vitest/],
    ["ops/read.ts", `import { world } from "../../test/support/world.ts";`, /local stack or of tests/],
    ["mailer/rule.ts", `import { letter } from "./content/notification.fixture.ts";`, /is for tests/],
    ["loose.ts", `import { a } from "./domain/ids.ts";`, /lies in no place/],
    ["platform/loose.ts", `import { a } from "./contract/lane.ts";`, /lies in no place/],
    ["domain/ids.ts", `import { readFileSync } from "node:fs";`, /only thinks/],
    ["domain/ids.ts", `import { readFileSync } from "fs";`, /only thinks/],
    ["mailer/rule.ts", `import { work } from "./work.ts";`, /mailer\/work\.ts acts/],
  ],
  [
    ["domain/ids.ts", `import { lane } from "../platform/contract/lane.ts";`],
    ["domain/ids.ts", `import { z } from "zod";`],
    ["mailer/rule.ts", `import type { Work } from "./work.ts";`],
    ["mailer/work.ts", `import { readFileSync } from "node:fs";`],
    ["platform/adapters/kafka/log.ts", `import { Kafka } from "kafkajs/src/index.js";`],
    ["ops/read.ts", `import { all } from "../all.ts";`],
  ],
);

const MEMBER = /^Pure code uses (?:Math|Temporal) only as/;

spec(
  "purity",
  [
    ["inboxes/when.ts", "const a = Math.random();", MEMBER],
    ["inboxes/when.ts", "const m = Math; const a = m.random();", MEMBER],
    ["inboxes/when.ts", "const { random } = Math;", MEMBER],
    ["inboxes/when.ts", "const a = Math['random']();", MEMBER],
    ["inboxes/when.ts", "const a = Temporal.Now.instant();", MEMBER],
  ],
  [
    ["inboxes/when.ts", "const a = Math.max(1, 2);"],
    [
      "inboxes/when.ts",
      `import { Temporal } from "temporal-polyfill"; const a = (t: Temporal.Instant) => Temporal.PlainTime.from("01:00");`,
    ],
    ["mailer/work.ts", "const a = Math.random();"],
    ["platform/app/serve.ts", "const a = Temporal.Now.instant();"],
  ],
);
