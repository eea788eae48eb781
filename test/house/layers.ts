/** The table of who imports what in `services/`; lint keeps it by the rules in `lint-plugin.ts`. */
import { isBuiltin } from "node:module";
import { dirname, join, matchesGlob } from "node:path/posix";

/** Outside packages, each with the only folder of `services/` that imports it. */
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
  prettier: "ops",
};

/** Packages that every folder imports: types of values and of times are vocabulary. */
const vocabulary: readonly string[] = ["zod", "temporal-polyfill"];

/** Folders of the services. All import the same, and think but for the files in `acting`. */
const services: readonly string[] = ["conversations", "inboxes", "mailer", "webhooks"];

const SERVICE = ["domain", "platform/contract", "platform/runtime", "platform/app"];

/** Folders that each folder of the platform imports from, beside itself. */
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

/** Every folder of `services/` that others import from (folders.test.ts finds one that is missing). */
export const folders: readonly string[] = [...Object.keys(platform), "platform/app", "domain", ...services, "ops"];

/** Places that each place in `services/` imports from, beside itself. */
const layers: Readonly<Record<string, readonly string[]>> = {
  ...platform,
  "platform/app": folders.filter((folder) => folder.startsWith("platform/")),
  domain: ["platform/contract"],
  ...Object.fromEntries(services.map((name) => [name, SERVICE])),
  ops: [...folders, "all.ts"],
  "all.ts": ["platform/app", ...services],
  "main.ts": ["all.ts", "domain", "platform/app"],
};

/** Folders in which code only thinks: no input or output, no clock, no random number, no configuration. */
export const pure: readonly string[] = ["platform/contract", "platform/engine/fold", "domain", ...services];

/** Files of pure folders that act: they put a service together, or hold an outside thing. */
export const acting: readonly string[] = [
  ...services.map((name) => `${name}/{main,service,config,work}.ts`),
  "mailer/content/{limits,render,templates}.ts",
  "mailer/smtp/client.ts",
  "webhooks/attempts.ts",
  "webhooks/endpoints/**",
  "webhooks/call/**",
];

const inside = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);

const layerOf = (path: string): string | undefined => Object.keys(layers).find((place) => inside(path, place));

/** Whether a file only thinks; `path` is from `services/`, as in `inboxes/when.ts`. */
export const isPure = (path: string): boolean =>
  pure.some((folder) => inside(path, folder)) && !acting.some((glob) => matchesGlob(path, glob));

/** The name of a package in what an import names: `@a/b` of `@a/b/c.js`. */
const packageIn = (source: string): string => source.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] ?? source;

/** An import, as a file has it. */
export interface Import {
  /** The importing file, from `services/`. */
  readonly file: string;
  /** What it names, as in `../domain/ids.ts` or `node:fs`. */
  readonly source: string;
  /** Whether it vanishes when types are stripped. */
  readonly isType: boolean;
}

/** The reason for which a file of `services/` may not have an import; undefined when it may. */
export const refusal = ({ file, source, isType }: Import): string | undefined => {
  const layer = layerOf(file);
  if (layer === undefined) return `${file} lies in no place of the table in test/house/layers.ts: put it in a folder.`;
  if (isBuiltin(source)) return refusalOfNode(file, source);
  if (!source.startsWith(".")) return refusalOfPackage(file, packageIn(source));
  const target = join(dirname(file), source);
  if (target.startsWith("../")) return "Services import nothing of the local stack or of tests.";
  if (/\.(?:test|fixture)\.ts$/.test(target)) return `${target} is for tests.`;
  const allowed = [layer, ...(layers[layer] ?? [])];
  if (!allowed.some((place) => inside(target, place))) return `${layer} imports from ${allowed.join(", ")} alone.`;
  return isPure(file) && !isType && acting.some((glob) => matchesGlob(target, glob))
    ? `${file} only thinks, and ${target} acts: let its caller hand it a value.`
    : undefined;
};

const refusalOfNode = (file: string, source: string): string | undefined => {
  if (/^(?:node:)?module$/.test(source)) return "Services import by `import` alone, which lint sees.";
  return isPure(file)
    ? `${file} only thinks: it imports nothing of Node, which reads, writes or tells the time.`
    : undefined;
};

const refusalOfPackage = (file: string, name: string): string | undefined => {
  if (vocabulary.includes(name)) return undefined;
  const home = homes[name];
  if (home === undefined) return `No folder is the home of ${name}: name one in \`homes\` in test/house/layers.ts.`;
  return inside(file, home) ? undefined : `Only ${home} imports ${name}.`;
};
