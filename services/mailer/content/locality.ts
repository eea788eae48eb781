import type { Millis } from "../../platform/contract/time.ts";

/** A recipient's language, its direction, and their way to write times and sizes. */
export interface Locality {
  /** BCP 47, without extensions. */
  readonly lang: string;
  readonly dir: "ltr" | "rtl";
  /** Formats a time of day, with the date unless it is `today`'s, and with "UTC" where the recipient's zone is unknown. */
  readonly time: (at: Millis, today: Millis) => string;
  /** Formats a size: "1.2 MB", or "" where `bytes` is not a whole number of 0 or more. */
  readonly size: (bytes: number) => string;
}

const FALLBACK = "en";
/** Scripts that are written from right to left (ISO 15924). */
const RIGHT_TO_LEFT = new Set(["Adlm", "Arab", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa", "Yezi"]);
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
/** Step between units: SI, as operating systems show the size of a file. */
const UNIT_STEP = 1_000;

/** Localities in the cache: making one takes longer than rendering a mail. */
const MAX_CACHED = 1_000;
const cache = new Map<string, Locality>();

/**
 * Returns the locality of a recipient; an unknown locale falls back to English, an unknown zone to UTC.
 * @param locale BCP 47, or with underscores
 * @param timezone IANA name
 */
export const localityOf = (locale: string | null, timezone: string | null): Locality => {
  const name = JSON.stringify([locale, timezone]);
  const found = cache.get(name);
  if (found !== undefined) return found;
  if (cache.size >= MAX_CACHED) cache.clear();
  const made = newLocality(locale, timezone);
  cache.set(name, made);
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
    const parsed = new Intl.Locale((locale ?? FALLBACK).replaceAll("_", "-"));
    return Intl.DateTimeFormat.supportedLocalesOf(parsed).length > 0 ? parsed : new Intl.Locale(FALLBACK);
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
