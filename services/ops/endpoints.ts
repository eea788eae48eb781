import { Command } from "commander";
import type { Connection, Database } from "../platform/contract/database.ts";
import type { Refusal } from "./command-deps.ts";
import type { Settings } from "../platform/app/config.ts";
import { networks } from "../webhooks/call/networks.ts";
import type { variables } from "../webhooks/config.ts";
import {
  addEndpoint,
  isConfigured,
  listEndpoints,
  MAX_ENDPOINTS,
  removeEndpoint,
} from "../webhooks/endpoints/table.ts";
import { type EndpointView, isRefused, registrationOf, viewOf } from "../webhooks/endpoints/registration.ts";

/** Variables of the webhooks service that the commands need. */
export type EndpointSettings = Pick<Settings<typeof variables>, "WEBHOOK_ALLOWED_NETWORKS" | "WEBHOOK_ENDPOINTS">;

export interface Addition {
  readonly url: string;
  /** Types of events; undefined: all. */
  readonly types?: readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly settings: EndpointSettings;
}

/** Registers an endpoint. Only this answer has the secret unmasked. */
export const endpointsAdd = async (
  database: Connection,
  { settings, ...input }: Addition,
): Promise<EndpointView | Refusal> => {
  const registration = registrationOf(input, networks(settings.WEBHOOK_ALLOWED_NETWORKS));
  if (isRefused(registration))
    return { refused: registration.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`).join("; ") };
  const endpoint = await addEndpoint(database, registration);
  if (endpoint === null) return { refused: `there are ${MAX_ENDPOINTS} endpoints already; remove one first` };
  return { ...viewOf(endpoint), secret: endpoint.secret };
};

/** Lists the configured endpoints, then the registered ones, with secrets masked. */
export const endpointsList = async (
  database: Connection,
  { settings }: { readonly settings: EndpointSettings },
): Promise<readonly EndpointView[]> => [...settings.WEBHOOK_ENDPOINTS, ...(await listEndpoints(database))].map(viewOf);

export const endpointsRemove = async (
  database: Connection,
  { id }: { readonly id: string },
): Promise<{ readonly removed: string } | Refusal> => {
  if (isConfigured(id)) return { refused: `${id} is named by WEBHOOK_ENDPOINTS; remove it there` };
  return (await removeEndpoint(database, id)) ? { removed: id } : { refused: `there is no endpoint ${id}` };
};

/** Opens the database and reads the variables. The command closes the database. */
export type Open = () => Promise<{ readonly database: Database; readonly settings: EndpointSettings }>;

interface Flags {
  readonly json?: boolean;
}

/** `ops endpoints add|list|remove`. @param say takes one line of the answer */
export const endpointsCommand = (open: Open, say: (line: string) => void = console.log): Command => {
  const command = new Command("endpoints").description("HTTP endpoints that receive the events of notifications");
  const answer = answering(command, open, say);

  command
    .command("add")
    .description("registers a URL and prints its id and the secret to verify signatures with")
    .argument("<url>")
    .option("--types <types>", "types of events, separated by commas; default: all", commas)
    .option("--description <text>", "a note for people")
    .option("--json", "prints JSON")
    .action((url: string, { json = false, ...options }: Flags & Pick<Addition, "types" | "description">) =>
      answer(
        (database, settings) => endpointsAdd(database, { url, ...options, settings }),
        { json },
        ({ id, secret }) => [`id      ${id}`, `secret  ${secret}`],
      ),
    );
  command
    .command("list")
    .description("lists the endpoints; secrets are not shown")
    .option("--json", "prints JSON")
    .action((flags: Flags) =>
      answer(
        (database, settings) => endpointsList(database, { settings }),
        flags,
        (all) => all.map(lineOf),
      ),
    );
  command
    .command("remove")
    .description("removes an endpoint; its queued deliveries are not sent")
    .argument("<id>")
    .option("--json", "prints JSON")
    .action((id: string, flags: Flags) =>
      answer(
        (database) => endpointsRemove(database, { id }),
        flags,
        ({ removed }) => [`removed ${removed}`],
      ),
    );
  return command;
};

/** Prints answers as JSON or lines, and ends the process with a refusal. */
const answering =
  (command: Command, open: Open, say: (line: string) => void) =>
  async <T extends object>(
    ask: (database: Database, settings: EndpointSettings) => Promise<T | Refusal>,
    { json }: Flags,
    lines: (data: T) => readonly string[],
  ): Promise<void> => {
    const data = await asked(open, ask);
    if (isRefusal(data)) command.error(data.refused);
    else for (const line of json ? [JSON.stringify(data, null, 2)] : lines(data)) say(line);
  };

/** Asks the database, and closes it before the answer is printed, because a refusal ends the process. */
const asked = async <T>(
  open: Open,
  ask: (database: Database, settings: EndpointSettings) => Promise<T>,
): Promise<T> => {
  const { database, settings } = await open();
  await using closing = database;
  return await ask(closing, settings);
};

const isRefusal = (data: object): data is Refusal => "refused" in data;

const commas = (text: string): readonly string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

const lineOf = ({ id, url, types, enabled, source, description }: EndpointView): string =>
  [id, enabled ? source : "disabled", types?.join(",") ?? "all", url, description]
    .filter((part) => part !== "")
    .join("  ");
