/** Mark of a text that was cut. */
export const ELLIPSIS = "…";

/** The beginning of a text: at most `limit` UTF-16 code units, never ending within a surrogate pair. */
export const startOf = (text: string, limit: number): string =>
  text.length <= limit ? text : text.slice(0, limit).replace(/[\uD800-\uDBFF]$/, "");
