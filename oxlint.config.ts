import { defineConfig, type OxlintConfig } from "oxlint";

type Override = NonNullable<OxlintConfig["overrides"]>[number];
type Rules = NonNullable<Override["rules"]>;

/** Outside packages, each with the only folder of `services/` that imports it. zod and Temporal are vocabulary: all may. */
const homes: Readonly<Record<string, string>> = {
  kafkajs: "platform/adapters/kafka",
  "kafkajs-snappy": "platform/adapters/kafka",
  lz4js: "platform/adapters/kafka",
  pg: "platform/adapters/postgres",
  "node-pg-migrate": "platform/adapters/postgres",
  avsc: "platform/adapters/registry",
  "@kafkajs/confluent-schema-registry": "platform/adapters/registry",
  fastify: "platform/app",
  pino: "platform/app",
  "prom-client": "platform/app",
  nodemailer: "mailer/smtp",
  liquidjs: "mailer/content",
  undici: "webhooks/call",
  "ipaddr.js": "webhooks/call",
  standardwebhooks: "webhooks/call",
  commander: "ops",
  "cli-progress": "ops",
};

/** Folders of the services: all import the same, and think but for the files in `acting`. */
const services = ["conversations", "inboxes", "mailer", "webhooks"];

const SERVICE = ["domain", "platform/contract", "platform/runtime", "platform/app"];

/** Folders that each folder of the platform may import from, beside itself. */
const platform: Readonly<Record<string, readonly string[]>> = {
  "platform/contract": [],
  "platform/runtime": ["platform/contract"],
  "platform/engine": ["platform/contract", "platform/runtime"],
  "platform/adapters/kafka": ["platform/contract", "platform/runtime"],
  "platform/adapters/postgres": ["platform/contract", "platform/runtime"],
  "platform/adapters/registry": ["platform/contract", "platform/runtime"],
  // The registry in memory judges compatibility by the same Avro.
  "platform/memory": ["platform/contract", "platform/runtime", "platform/engine", "platform/adapters/registry"],
  "platform/simulation": ["platform/contract"],
};

/** Every folder of `services/` that others import from (test/house/folders.test.ts finds one that is missing). */
export const folders: readonly string[] = [...Object.keys(platform), "platform/app", "domain", ...services, "ops"];

/** Folders that each folder may import from, beside itself. */
const layers: Readonly<Record<string, readonly string[]>> = {
  ...platform,
  "platform/app": folders.filter((folder) => folder.startsWith("platform/")),
  domain: ["platform/contract"],
  ...Object.fromEntries(services.map((name) => [name, SERVICE])),
  ops: folders,
};

/** Folders in which code only thinks: no input or output, no clock, no random number, no configuration. */
const pure = ["platform/contract", "platform/engine/fold", "domain", ...services];

/** Files of pure folders that act: they put a service together, or hold an outside thing. */
const acting: readonly (readonly [folder: string, files: string])[] = [
  ...services.map((name) => [name, "{main,service,config,work}.ts"] as const),
  ["mailer/content", "{render,templates}.ts"],
  ["mailer/smtp", "client.ts"],
  ["webhooks", "attempts.ts"],
  ["webhooks/endpoints", "**"],
  ["webhooks/call", "**"],
];

const tests = ["**/*.test.ts", "**/*.fixture.ts"];

/** Patterns for a folder in a relative path from anywhere: from a neighbour, only the end of its path is written. */
const anywhere = (folder: string): readonly string[] =>
  folder.split("/").map((_name, index, names) => `**/${names.slice(index).join("/")}/**`);

/** Imports that the files of a folder may not have. */
const forbidden = (folder: string, isPure: boolean): Rules => {
  const layer = folders.find((each) => folder === each || folder.startsWith(`${each}/`));
  if (layer === undefined) throw new Error(`${folder} lies in no folder of the table`);
  const allowed = [layer, ...(layers[layer] ?? [])];
  const upward = folders.filter((each) => !allowed.includes(each)).flatMap(anywhere);
  const packages = Object.keys(homes).filter((name) => homes[name] !== folder);
  const patterns = [
    {
      group: packages,
      message: `Only one folder imports this package (oxlint.config.ts, homes); ${folder} is another.`,
    },
    { group: ["**/deploy/**", "**/test/**"], message: "Services import nothing of the local stack or of tests." },
    ...(upward.length === 0 ? [] : [{ group: upward, message: `${folder} imports from ${allowed.join(", ")} alone.` }]),
    ...(isPure
      ? [{ group: ["node:*"], message: "A pure file imports nothing of Node: no input or output, no clock." }]
      : []),
  ];
  return { "eslint/no-restricted-imports": ["error", { patterns }] };
};

const purity: Rules = {
  "eslint/no-restricted-globals": [
    "error",
    "Date",
    "performance",
    "crypto",
    "process",
    "Buffer",
    "setTimeout",
    "setInterval",
    "setImmediate",
    "fetch",
    "console",
    "globalThis",
  ],
  "eslint/no-restricted-properties": [
    "error",
    { object: "Math", property: "random", message: "A rule draws no random number: the caller gives it one." },
    { object: "Temporal", property: "Now", message: "A rule reads no clock: it goes by the event's time." },
  ],
};

const impurity: Rules = { "eslint/no-restricted-globals": "off", "eslint/no-restricted-properties": "off" };

/** Folders with rules of their own, the outer before the inner: the last that matches a file counts. */
const ruled = [...new Set([...Object.keys(layers), ...Object.values(homes), "platform/engine/fold"])].toSorted();

const isPure = (folder: string): boolean => pure.some((each) => folder === each || folder.startsWith(`${each}/`));

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "node", "vitest", "oxc"],
  options: { typeAware: true },
  categories: { correctness: "error", suspicious: "error" },
  rules: {
    // JSON, Avro and SQL give unknown data: one assertion where it enters, by the schema that it came with.
    "typescript/no-unsafe-type-assertion": "off",
    // CommonJS packages are imported by their default export.
    "import/no-named-as-default-member": "off",
    // A helper stands where it is used; objects are records of closures, without `this`.
    "unicorn/consistent-function-scoping": "off",
    "typescript/unbound-method": "off",
    "typescript/require-array-sort-compare": ["error", { ignoreStringArrays: true }],
    // Tests run over tables of cases.
    "vitest/require-to-throw-message": "off",
    "vitest/no-conditional-expect": "off",
    "vitest/valid-expect": ["error", { maxArgs: 2 }],
    "eslint/no-underscore-dangle": "off",
    // tsc checks the returns of functions; this rule doesn't know an exhaustive switch.
    "typescript/consistent-return": "off",
    "vitest/expect-expect": ["error", { assertFunctionNames: ["expect", "**.causes", "**.tells", "**.notes"] }],
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/await-thenable": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    "import/no-default-export": "error",
    "import/no-cycle": "error",
  },
  overrides: [
    ...ruled.map((folder): Override => ({
      files: [`services/${folder}/**`],
      rules: { ...forbidden(folder, isPure(folder)), ...(isPure(folder) ? purity : {}) },
    })),
    ...acting.map(([folder, files]): Override => ({
      files: [`services/${folder}/${files}`],
      rules: { ...forbidden(folder, false), ...impurity },
    })),
    {
      files: tests,
      rules: {
        ...impurity,
        "eslint/no-restricted-imports": "off",
        "typescript/no-non-null-assertion": "off",
        "typescript/no-explicit-any": "off",
      },
    },
    {
      files: ["test/**"],
      rules: { "typescript/no-non-null-assertion": "off", "typescript/no-explicit-any": "off" },
    },
    {
      files: ["*.config.ts", "test/support/{stack,reporter}.ts", "services/platform/adapters/kafka/untyped.d.ts"],
      rules: { "import/no-default-export": "off" },
    },
  ],
});
