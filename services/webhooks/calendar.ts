/** Dates as text, without `Date`, which pure code may not use. Days are of the Gregorian calendar, in UTC. */
import { DAY, HOUR, MINUTE, type Millis, SECOND } from "../platform/contract/time.ts";

const DAYS_BEFORE_1970 = 719_468; // counted from 0000-03-01: a year that begins in March has its leap day last
const DAYS_OF_400_YEARS = 146_097;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Formats a time in ISO 8601, UTC with milliseconds, exactly as ECMAScript's toISOString: `2026-11-22T14:18:00.000Z`. */
export const iso8601 = (at: Millis): string => {
  const day = Math.floor(at / DAY);
  const { year, month, date } = civil(day);
  const time = at - day * DAY;
  const clock = [Math.floor(time / HOUR), Math.floor(time / MINUTE) % 60, Math.floor(time / SECOND) % 60];
  const hms = clock.map((part) => digits(part, 2)).join(":");
  return `${yearText(year)}-${digits(month, 2)}-${digits(date, 2)}T${hms}.${digits(time % SECOND, 3)}Z`;
};

const IMF = /^[A-Z][a-z]{2}, (?<date>\d\d) (?<month>\w{3}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/;
const RFC850 = /^[A-Z][a-z]{5,8}, (?<date>\d\d)-(?<month>\w{3})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} (?<month>\w{3}) (?<date>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/;
const YEARS_AHEAD = 50;

/**
 * Parses an HTTP-date in any of its three forms (RFC 9110, section 5.6.7); null where the text is none.
 * @param now gives the century of a year of two digits: at most 50 years ahead
 */
export const httpDate = (text: string, now: Millis): Millis | null => {
  const found = (IMF.exec(text) ?? RFC850.exec(text) ?? ASCTIME.exec(text))?.groups;
  if (found === undefined) return null;
  const { date = "", month = "", year = "", time = "" } = found;
  const monthNumber = MONTHS.indexOf(month) + 1;
  if (monthNumber === 0) return null;
  const [hours = 0, minutes = 0, seconds = 0] = time.split(":").map(Number);
  const inDay = hours * HOUR + minutes * MINUTE + seconds * SECOND;
  return days(year.length === 2 ? fullYear(Number(year), now) : Number(year), monthNumber, Number(date)) * DAY + inDay;
};

const fullYear = (lastTwo: number, now: Millis): number => {
  const latest = civil(Math.floor(now / DAY)).year + YEARS_AHEAD;
  return latest - ((((latest - lastTwo) % 100) + 100) % 100);
};

/** Computes the date of a day: Howard Hinnant's civil_from_days. */
const civil = (day: number): { year: number; month: number; date: number } => {
  const shifted = day + DAYS_BEFORE_1970;
  const era = Math.floor(shifted / DAYS_OF_400_YEARS);
  const dayOfEra = shifted - era * DAYS_OF_400_YEARS;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const date = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, date };
};

/** Computes the day of a date: Howard Hinnant's days_from_civil. */
const days = (year: number, month: number, date: number): number => {
  const fromMarch = month > 2 ? year : year - 1;
  const era = Math.floor(fromMarch / 400);
  const yearOfEra = fromMarch - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + date - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_OF_400_YEARS + dayOfEra - DAYS_BEFORE_1970;
};

const digits = (number: number, count: number): string => String(number).padStart(count, "0");

/** Formats a year: four digits, or a sign and six digits outside 0 to 9999. */
const yearText = (year: number): string => {
  if (year >= 0 && year <= 9_999) return digits(year, 4);
  return `${year < 0 ? "-" : "+"}${digits(Math.abs(year), 6)}`;
};
