import { Command } from "commander";
import { settingNames, writtenSetting } from "../../domain/role-settings.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { withCommandDeps, type CommandDeps, type OpenCommandDeps, type Refusal } from "../command-deps.ts";
import { assignmentHelp } from "./revise.ts";
import { type RoleView, settingsGet, settingsList, settingsReset, settingsSet } from "./roles.ts";
import { table } from "../table.ts";

interface Flags {
  readonly json?: boolean;
}

/** `ops settings list|get|set|reset`. @param say takes one line of the answer */
export const settingsCommand = (
  open: OpenCommandDeps,
  say: (line: string) => void = console.log,
  now: () => Millis = Date.now,
): Command => {
  const command = new Command("settings").description(
    "settings by role: after which time users are told, how often, and when not",
  );

  const answer = async (
    ask: (deps: CommandDeps) => Promise<RoleView | readonly RoleView[] | Refusal>,
    { json }: Flags,
  ): Promise<void> => {
    const data = await withCommandDeps(open, ask);
    if ("refused" in data) command.error(data.refused);
    else for (const line of json ? [JSON.stringify(data, null, 2)] : linesOf(data)) say(line);
  };
  const sub = (name: string, description: string): Command =>
    command.command(name).description(description).option("--json", "prints JSON");

  sub("list", "lists the roles with settings, and default").action((flags: Flags) => answer(settingsList, flags));
  sub("get", "prints the settings that hold for a role")
    .argument("<role>")
    .action((role: string, flags: Flags) => answer((deps) => settingsGet(deps, role), flags));
  sub("set", "changes a role's settings from now on")
    .argument("<role>")
    .argument("<name=value...>", "settings to change; the others stay as they hold for the role now")
    .addHelpText("after", `\n${assignmentHelp}`)
    .action((role: string, assignments: readonly string[], flags: Flags) =>
      answer((deps) => settingsSet(deps, role, assignments, now()), flags),
    );
  sub("reset", "removes a role's settings, so that those of default hold for it again")
    .argument("<role>")
    .action((role: string, flags: Flags) => answer((deps) => settingsReset(deps, role, now()), flags));
  return command;
};

const linesOf = (data: RoleView | readonly RoleView[]): readonly string[] =>
  Array.isArray(data) ? table((data as readonly RoleView[]).map(columnsOf)) : pairs(columnsOf(data as RoleView));

const pairs = (columns: Readonly<Record<string, string>>): readonly string[] => {
  const width = Math.max(...Object.keys(columns).map((name) => name.length));
  return Object.entries(columns).map(([name, text]) => `${name.padEnd(width)}  ${text}`);
};

/** Settings in the form that `set` takes. */
const columnsOf = ({ role, from, version, since, ...fields }: RoleView): Readonly<Record<string, string>> => ({
  role,
  ...Object.fromEntries(settingNames.map((name) => [name, writtenSetting(fields, name)])),
  of: from === "role" ? `its own, version ${version}` : from,
  since: since === null ? "" : new Date(since).toISOString(),
});
