import { MINUTE } from "../../platform/contract/time.ts";
import type { Comparison, Stretch } from "./compare.ts";
import { table } from "../table.ts";
import { DAILY, type Figures, READ_WITHIN } from "./tally.ts";

/** Length of the longest bar, in characters. */
const BAR = 30;

/** Comparison to report. */
export interface Report extends Comparison, Stretch {
  /** Duration of the comparison. */
  readonly seconds: number;
}

/** Writes a comparison as lines for people. */
export const reportOf = ({ from, to, seconds, records, refused, today, other, users }: Report): readonly string[] => [
  `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
  `${records} records${refused === 0 ? "" : `, ${refused} refused`}, in ${seconds.toFixed(1)} s: ${Math.round(records / seconds)} a second`,
  "",
  ...table(rows.map(([what, figure]) => ({ "": what, today: figure(today), "what if": figure(other) }))),
  "",
  "Notifications of a user on a day (UTC), and how many such days:",
  ...histogram(today, other),
  ...(users.length === 0 ? [] : ["", "Users whose notifications change most:", ...table(users.map(userRow))]),
];

const rows: readonly (readonly [string, (figures: Figures) => string])[] = [
  ["notifications", ({ notifications }) => String(notifications)],
  ["mails", ({ mails }) => String(mails)],
  ["users notified", ({ users }) => String(users)],
  ["waited, mean", ({ waited }) => duration(waited.mean)],
  ["waited, p50", ({ waited }) => duration(waited.p50)],
  ["waited, p90", ({ waited }) => duration(waited.p90)],
  ["waited, p99", ({ waited }) => duration(waited.p99)],
  ["messages notified", ({ messages }) => String(messages)],
  [
    `read within ${READ_WITHIN / MINUTE} min anyway`,
    ({ readAnyway, messages }) =>
      messages === 0 ? "0" : `${readAnyway} (${((100 * readAnyway) / messages).toFixed(1)} %)`,
  ],
];

const duration = (seconds: number | null): string => {
  if (seconds === null) return "-";
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  return seconds < 7_200 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3_600).toFixed(1)} h`;
};

const histogram = (today: Figures, other: Figures): readonly string[] => {
  const most = Math.max(1, ...today.days, ...other.days);
  const bar = (count: number): string => "#".repeat(Math.ceil((BAR * count) / most));
  return DAILY.flatMap((_, index) => {
    const [now, then] = [today.days[index] ?? 0, other.days[index] ?? 0];
    return [
      `${classOf(index).padStart(6)}  today    ${String(now).padStart(8)}  ${bar(now)}`.trimEnd(),
      `${"".padStart(6)}  what if  ${String(then).padStart(8)}  ${bar(then)}`.trimEnd(),
    ];
  });
};

const classOf = (index: number): string => {
  const [least = 0, next] = [DAILY[index], DAILY[index + 1]];
  if (next === undefined) return `${least}+`;
  return next === least + 1 ? String(least) : `${least}-${next - 1}`;
};

const userRow = ({ userId, today, other }: Comparison["users"][number]): Readonly<Record<string, string>> => ({
  user: userId,
  today: String(today),
  "what if": String(other),
  change: `${other > today ? "+" : ""}${other - today}`,
});
