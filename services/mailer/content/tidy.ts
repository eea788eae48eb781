/**
 * Tidies names, subjects and texts of users for a mail: well-formed, bounded, of one line or a few. All limits are in
 * UTF-16 code units.
 */
import { ELLIPSIS, startOf } from "../../domain/text.ts";

/**
 * Invisible characters that can make one text look like another: soft hyphen, zero-width space, zero-width no-break
 * space, annotations and direction controls. The marks and joiners that scripts and emoji need (U+200C–U+200F, tags) stay.
 */
const HIDDEN = /[\u00AD\u061C\u180E\u200B\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]/gu;
const SPACES = /[\p{Cc}\p{Z}]+/gu;
/** Line ends by Unicode. */
const BREAKS = /\r\n?|[\n\v\f\u0085\u2028\u2029]/gu;
const CONTROLS = /(?![\n\t])\p{Cc}/gu;
/** A character that is visible: neither blank, control nor mark. */
const VISIBLE = /[^\p{C}\p{Z}\p{M}]/u;

/** Cuts a text to at most `limit`, the ellipsis included. */
const clip = (text: string, limit: number): string =>
  text.length <= limit ? text : startOf(text, limit - ELLIPSIS.length).trimEnd() + ELLIPSIS;

/** Makes a single line of a text; "" where no character of the text is visible. */
export const line = (text: string, limit: number): string => {
  const tidy = text.toWellFormed().replace(HIDDEN, "").replace(SPACES, " ").trim();
  return VISIBLE.test(tidy) ? clip(tidy, limit) : "";
};

/** Splits a text into at most `maxLines` lines, without blank lines at its ends or two in a row. */
export const lines = (text: string, limit: number, maxLines: number): readonly string[] => {
  const tidy = text.toWellFormed().replace(BREAKS, "\n").replace(HIDDEN, "").replace(CONTROLS, "");
  const all = clip(
    tidy
      .replace(/[ \t]+$/gm, "")
      .replace(/\n{3,}/g, "\n\n")
      .replace(/^\n+|\n+$/g, ""),
    limit,
  ).split("\n");
  return all.length <= maxLines ? all : [...all.slice(0, maxLines - 1), ELLIPSIS];
};
