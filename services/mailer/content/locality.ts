import type { Millis } from "../../platform/contract/time.ts";

/** How a recipient reads: their language's direction, times and sizes in their words. */
export interface Locality {
  /** BCP 47, without extensions. */
  readonly lang: string;
  readonly dir: "ltr" | "rtl";
  /** A time of day, with its day where that is not `today`'s; with "UTC" where we don't know the recipient's zone. */
  readonly time: (at: Millis, today: Millis) => string;
  /** "1.2 MB"; "" for what is no size. @param bytes a whole number */
  readonly size: (bytes: number) => string;
}

const FALLBACK = "en";
/** Scripts that are written from right to left (ISO 15924). */
const RIGHT_TO_LEFT = new Set(["Adlm", "Arab", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa", "Yezi"]);
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
/** SI: what systems show next to a file today. */
const UNIT_STEP = 1_000;

/** Localities that are kept: to make one takes longer than to render a mail. */
const MAX_KEPT = 1_000;
const kept = new Map<string, Locality>();

/** @param locale BCP 47 or with underscores, @param timezone IANA name; what isn't known falls back to English, UTC */
export const localityOf = (locale: string | null, timezone: string | null): Locality => {
  const name = JSON.stringify([locale, timezone]);
  const found = kept.get(name);
  if (found !== undefined) return found;
  if (kept.size >= MAX_KEPT) kept.clear();
  const made = newLocality(locale, timezone);
  kept.set(name, made);
  return made;
};

const newLocality = (locale: string | null, timezone: string | null): Locality => {
  const known = knownLocale(locale);
  const timeZone = knownZone(timezone);
  const time: Intl.DateTimeFormatOptions = {
    hour: "numeric",
    minute: "2-digit",
    timeZone: timeZone ?? "UTC",
    ...(timeZone === null ? { timeZoneName: "short" } : {}),
  };
  const clock = new Intl.DateTimeFormat(known.baseName, time);
  const full = new Intl.DateTimeFormat(known.baseName, { ...time, weekday: "short", day: "numeric", month: "short" });
  const day = new Intl.DateTimeFormat(FALLBACK, { dateStyle: "short", timeZone: timeZone ?? "UTC" });
  return {
    lang: known.baseName,
    dir: RIGHT_TO_LEFT.has(known.maximize().script ?? "") ? "rtl" : "ltr",
    time: (at, today) => (day.format(at) === day.format(today) ? clock : full).format(at),
    size: (bytes) => sizeIn(known.baseName, bytes),
  };
};

const sizeIn = (locale: string, bytes: number): string => {
  if (!Number.isSafeInteger(bytes) || bytes < 0) return "";
  let amount = bytes;
  let step = 0;
  for (; amount >= UNIT_STEP && step < UNITS.length - 1; step++) amount /= UNIT_STEP;
  const digits = step === 0 || amount >= 10 ? 0 : 1;
  const unit = UNITS[step] ?? "byte";
  return new Intl.NumberFormat(locale, { style: "unit", unit, maximumFractionDigits: digits }).format(amount);
};

const knownLocale = (locale: string | null): Intl.Locale => {
  try {
    const given = new Intl.Locale((locale ?? FALLBACK).replaceAll("_", "-"));
    return Intl.DateTimeFormat.supportedLocalesOf(given).length > 0 ? given : new Intl.Locale(FALLBACK);
  } catch {
    return new Intl.Locale(FALLBACK); // not a language tag
  }
};

const knownZone = (timezone: string | null): string | null => {
  if (timezone === null) return null;
  try {
    return new Intl.DateTimeFormat(FALLBACK, { timeZone: timezone }).resolvedOptions().timeZone;
  } catch {
    return null; // not a zone
  }
};
