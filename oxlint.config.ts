import { defineConfig } from "oxlint";
import { acting, pure } from "./test/house/layers.ts";

/** Names that read the time, draw random numbers, or reach the world. */
const impure = [
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
  "global",
  "globalThis",
  "AbortSignal",
  "navigator",
  "WebSocket",
  "EventSource",
];

const tests = ["**/*.test.ts", "**/*.fixture.ts"];

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
    // Circles of types count, too.
    "import/no-cycle": ["error", { ignoreTypes: false }],
  },
  overrides: [
    // Who imports what, and which files only think: test/house/layers.ts.
    {
      files: ["services/**"],
      jsPlugins: ["./test/house/lint-plugin.ts"],
      rules: { "house/imports": "error", "house/purity": "error" },
    },
    {
      files: pure.map((folder) => `services/${folder}/**`),
      rules: { "eslint/no-restricted-globals": ["error", ...impure] },
    },
    {
      files: acting.map((glob) => `services/${glob}`),
      rules: { "eslint/no-restricted-globals": "off" },
    },
    {
      files: tests,
      rules: {
        "house/imports": "off",
        "house/purity": "off",
        "eslint/no-restricted-globals": "off",
        "typescript/no-non-null-assertion": "off",
        "typescript/no-explicit-any": "off",
      },
    },
    {
      files: ["test/**"],
      rules: { "typescript/no-non-null-assertion": "off", "typescript/no-explicit-any": "off" },
    },
    {
      files: [
        "*.config.ts",
        "test/house/lint-plugin.ts",
        "test/support/{stack,reporter}.ts",
        "services/platform/adapters/kafka/untyped.d.ts",
      ],
      rules: { "import/no-default-export": "off" },
    },
  ],
});
