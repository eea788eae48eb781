/**
 * People's names, subjects and texts, made fit to stand in a mail: well-formed, of one line or of few, bounded. All
 * limits are in UTF-16 code units.
 */

/**
 * Soft hyphen, zero-width space, no-break space of no width, annotations, and the controls that turn the direction of
 * what follows around: none is seen, all can make a text look like another. The marks and joiners that scripts and emoji
 * need (U+200C–U+200F, tags) stay.
 */
const HIDDEN = /[\u00AD\u061C\u180E\u200B\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]/gu;
const SPACES = /[\p{Cc}\p{Z}]+/gu;
/** What ends a line, in Unicode's opinion. */
const BREAKS = /\r\n?|[\n\v\f\u0085\u2028\u2029]/gu;
const CONTROLS = /(?![\n\t])\p{Cc}/gu;
/** At least one character that is neither blank nor only a mark. */
const VISIBLE = /[^\p{C}\p{Z}\p{M}]/u;
const ELLIPSIS = "…";

/** At most `limit` long, with an ellipsis if something was cut; never cut within a surrogate pair. */
export const clip = (text: string, limit: number): string => {
  if (text.length <= limit) return text;
  const kept = text.slice(0, limit - ELLIPSIS.length);
  return kept.replace(/[\uD800-\uDBFF]$/, "").trimEnd() + ELLIPSIS;
};

/** A single line; "" where nothing of it can be seen. */
export const line = (text: string, limit: number): string => {
  const tidy = text.toWellFormed().replace(HIDDEN, "").replace(SPACES, " ").trim();
  return VISIBLE.test(tidy) ? clip(tidy, limit) : "";
};

/** The lines of a text: none at its ends blank, no two blank ones in a row, at most `maxLines`. */
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
