import { table } from "../table.ts";
import { type Difference, isEqual } from "./compare.ts";
import type { Rebuilt } from "./run.ts";
import type { Switched } from "./switch.ts";
import type { Telling } from "./told.ts";

/** Limit of rows that are listed, and of notifications of each side. The others are counted. */
const MAX_NAMED = 20;

/** Writes a comparison as lines for people. */
export const reportOf = (rebuilt: Rebuilt): readonly string[] => {
  const { kinds, differences, moving, ahead, told, live, lag, cut } = rebuilt;
  return [
    ...(live.isStill
      ? [
          `the live services make no progress: they have decided ${live.at < 0 ? "nothing" : `everything up to ${iso(live.at)}`}, and ${lag} records wait for them. Only their decisions up to then are compared`,
        ]
      : []),
    ...Object.entries(cut).map(
      ([topic, from]) => `${topic} is kept from ${iso(from)} on: the rebuild does not know the records before that`,
    ),
    ...table(
      kinds.map(({ kind, rows, different }) => ({
        rows: kind,
        compared: String(rows),
        equal: String(rows - different),
        different: String(different),
      })),
    ),
    ...(ahead > 0
      ? [`${ahead} rows of the rebuild have later changes than the live services have reached: not compared`]
      : []),
    ...(moving > 0 ? [`${moving} rows changed each time they were read: not compared`] : []),
    ...named(
      differences,
      ({ kind, lane, key, where }: Difference) => `  ${kind} ${printable(key)} (lane ${lane}): ${where.join("; ")}`,
    ),
    "",
    `told by both: ${told.both}${told.from === null ? "" : ` (compared from ${iso(told.from)} on)`}`,
    `told by live only: ${told.live.length}`,
    ...named(told.live, telling),
    `told by the rebuild only: ${told.rebuilt.length}`,
    ...named(told.rebuilt, telling),
    "",
    isEqual(rebuilt)
      ? `equal: the live state is what the topics say${live.isStill ? ", up to the time that it has reached" : ""}`
      : "different: the live state is not what the topics say",
  ];
};

/** Writes the outcome of the switch as a line for people. */
export const switchedLine = ({ took, notifications, others }: Switched): string =>
  `switched over; the live services waited ${took} ms. Published in their place, because they had not reached these yet: ${notifications} notifications, ${others} other records`;

const telling = ({ userId, conversationId, at, notificationId }: Telling): string =>
  `  ${userId} about ${conversationId ?? "several conversations"} at ${iso(at)}: ${notificationId}`;

const named = <T>(all: readonly T[], line: (one: T) => string): readonly string[] => [
  ...all.slice(0, MAX_NAMED).map(line),
  ...(all.length > MAX_NAMED ? [`  and ${all.length - MAX_NAMED} more`] : []),
];

/** Shows a key, whose parts have a unit separator between them. */
const printable = (key: string): string => key.split("\u001f").join(" ");

const iso = (at: number): string => new Date(at).toISOString();
