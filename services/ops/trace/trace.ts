import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { Fatal } from "../../platform/contract/failure.ts";
import type { Millis } from "../../platform/contract/time.ts";

/** A message of a recorded chat: user, time, room and length, without its text. */
export interface TraceRow {
  readonly at: Millis;
  readonly room: string;
  readonly user: string;
  /** Length of the text, in characters. */
  readonly length: number;
  readonly mentions: readonly string[];
  readonly isForEveryone: boolean;
  /** Row number (from 1) of the message that this one answers. */
  readonly replyTo: number | null;
  readonly topic: string;
}

const COLUMNS = "at_ms,room,user,chars,mentions,reply_to,topic";
const EVERYONE = "*";

/** Reads a trace, a gzipped CSV without quotes, in its order. Throws Fatal with the wrong line. */
export async function* readTrace(file: string): AsyncGenerator<TraceRow> {
  const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Infinity });
  let number = 0;
  for await (const line of lines) {
    number++;
    if (number === 1 && line !== COLUMNS)
      throw new Fatal(`${file}: its columns are not ${COLUMNS}: give a trace in this format`);
    if (number > 1) yield rowOf(line, `${file}, line ${number}`);
  }
}

const rowOf = (line: string, where: string): TraceRow => {
  const [at = "", room = "", user = "", chars = "", named = "", replyTo = "", topic] = line.split(",");
  if (topic === undefined || !/^\d+$/.test(at) || !/^\d+$/.test(chars) || room === "" || user === "")
    throw new Fatal(`${where}: not a message of a trace: ${line.slice(0, 100)}`);
  const mentions = named.split(" ").filter((name) => name !== "");
  return {
    at: Number(at),
    room,
    user,
    length: Number(chars),
    mentions: mentions.filter((name) => name !== EVERYONE),
    isForEveryone: mentions.includes(EVERYONE),
    replyTo: replyTo === "" ? null : Number(replyTo),
    topic,
  };
};
