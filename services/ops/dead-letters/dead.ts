import { Command } from "commander";
import type { DeadLetter } from "../../platform/contract/records.ts";
import { contentOf, deadLetters, drop, findLetters, type Found, retry, textOf } from "./dead-letters.ts";
import { withCommandDeps, type CommandDeps, type OpenCommandDeps, type Refusal } from "../command-deps.ts";
import { table } from "../table.ts";

/** Characters of an id, and of a reason, in a list. */
const SHORT_ID = 8;
const SHORT_REASON = 100;
/** Limit of bytes shown of a value. */
const SHOWN_BYTES = 256;

interface Flags {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `ops dead list|show|retry|drop`. @param say takes one line of the answer */
export const deadCommand = (open: OpenCommandDeps, say: (line: string) => void = console.log): Command => {
  const command = new Command("dead").description("dead letters: records that no service could take");
  addList(command, open, say);
  addShow(command, open, say);
  addSettling(command, open, say);
  return command;
};

const addList = (command: Command, open: OpenCommandDeps, say: (line: string) => void): void => {
  command
    .command("list")
    .description("lists the open dead letters, the oldest first")
    .option("--all", "lists the retried and dropped ones too")
    .option("--json", "prints JSON")
    .action(async ({ all = false, json = false }: Flags) => {
      const found = await withCommandDeps(open, (deps) => deadLetters(deps, all));
      if (json) say(JSON.stringify(found.map(dataOf), null, 2));
      else if (found.length === 0) say("there are none");
      else for (const line of table(found.map(columnsOf))) say(line);
    });
};

const addShow = (command: Command, open: OpenCommandDeps, say: (line: string) => void): void => {
  command
    .command("show")
    .description("shows everything kept of a dead letter")
    .argument("<id>", "beginning of the id")
    .option("--json", "prints JSON, bytes in base64")
    .action(async (id: string, { json = false }: Flags) => {
      const answer = await withCommandDeps(open, async (deps): Promise<readonly [Found, string] | Refusal> => {
        const letters = await findLetters(deps, [id]);
        const letter = "refused" in letters ? letters : letters[0];
        if (letter === undefined || "refused" in letter) return letter ?? { refused: `no dead letter ${id}` };
        return [letter, await contentOf(deps, letter.letter)];
      });
      if ("refused" in answer) return command.error(answer.refused);
      const [found, content] = answer;
      if (json) say(JSON.stringify({ ...dataOf(found), content }, null, 2));
      else for (const line of linesOf(found, content)) say(line);
    });
};

const addSettling = (command: Command, open: OpenCommandDeps, say: (line: string) => void): void => {
  /** Acts on the letters whose ids begin so. */
  const settled = async (
    ids: readonly string[],
    act: (deps: CommandDeps, letters: readonly DeadLetter[]) => Promise<Refusal | null>,
  ): Promise<number> => {
    const answer = await withCommandDeps(open, async (deps) => {
      const found = await findLetters(deps, ids);
      if ("refused" in found) return found;
      const letters = found.map(({ letter }) => letter);
      return (await act(deps, letters)) ?? letters;
    });
    return "refused" in answer ? command.error(answer.refused) : answer.length;
  };
  command
    .command("retry")
    .description("publishes their records again, byte for byte; mend the cause first")
    .argument("<id...>", "beginnings of ids")
    .action(async (ids: readonly string[]) => {
      const count = await settled(ids, retry);
      say(`${count} put on the log again; one that can't be taken still comes back with another id`);
    });
  command
    .command("drop")
    .description("takes them off the list; the topic keeps them as long as it keeps anything")
    .argument("<id...>", "beginnings of ids")
    .action(async (ids: readonly string[]) => {
      const count = await settled(ids, async (deps, letters) => {
        await drop(deps, letters);
        return null;
      });
      say(`${count} dropped`);
    });
};

const placeOf = ({ topic, partition, offset }: DeadLetter): string => `${topic}/${partition} ${offset}`;

const columnsOf = ({ letter, settled }: Found): Readonly<Record<string, string>> => ({
  id: letter.id.slice(0, SHORT_ID),
  logged: new Date(letter.timestamp).toISOString(),
  by: letter.processor,
  "topic/partition offset": placeOf(letter),
  state: settled?.toLowerCase() ?? "open",
  reason: letter.reason.length > SHORT_REASON ? `${letter.reason.slice(0, SHORT_REASON)}…` : letter.reason,
});

const base64 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString("base64");

const dataOf = ({ letter, settled }: Found) => ({
  ...letter,
  settled,
  key: base64(letter.key),
  value: base64(letter.value),
  headers: Object.fromEntries(Object.entries(letter.headers).map(([name, bytes]) => [name, base64(bytes)])),
});

const linesOf = ({ letter, settled }: Found, content: string): readonly string[] => {
  const { id, processor, timestamp, key, value, headers, reason, isWhole } = letter;
  const rows: readonly (readonly [string, string])[] = [
    ["id", id],
    ["place", placeOf(letter)],
    ["logged", new Date(timestamp).toISOString()],
    ["refused by", processor],
    ["reason", reason],
    ["state", settled?.toLowerCase() ?? "open"],
    ["key", key === null ? "none" : (textOf(key) ?? `not UTF-8: ${Buffer.from(key).toString("hex")}`)],
    ...Object.entries(headers).map(
      ([name, bytes]) => [`header ${name}`, textOf(bytes) ?? base64(bytes) ?? ""] as const,
    ),
    ["value", value === null ? "none" : `${value.length} bytes${isWhole ? "" : ", its beginning alone"}`],
    ["content", content],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [...rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`), ...dump(value ?? new Uint8Array())];
};

/** Writes bytes as hexadecimal digits and text, 16 a line. */
const dump = (bytes: Uint8Array): readonly string[] => {
  const shown = Buffer.from(bytes.subarray(0, SHOWN_BYTES));
  const lines = Array.from({ length: Math.ceil(shown.length / 16) }, (_none, index) => {
    const row = shown.subarray(index * 16, index * 16 + 16);
    const digits = [...row].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.toString("latin1").replaceAll(/[^\x20-\x7e]/g, ".");
    return `${(index * 16).toString(16).padStart(8, "0")}  ${digits.padEnd(47)}  ${text}`;
  });
  return bytes.length > SHOWN_BYTES ? [...lines, `… ${bytes.length - SHOWN_BYTES} more`] : lines;
};
