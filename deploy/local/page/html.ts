// HTML whose escaping cannot be forgotten: a template's values are text unless they are markup already.
const markup: unique symbol = Symbol("markup");

/** Markup made by `html`. Its key is a symbol, so that no value from JSON or a mail can pass for it. */
export interface Html {
  readonly [markup]: string;
}

/** A template's values; `false`, `null` and `undefined` show nothing. */
export type Piece = string | number | Html | false | null | undefined | readonly Piece[];

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text escaped for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

/** A template whose every value is escaped, but for pieces made by `html` itself. Attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return { [markup]: strings.map((string, at) => string + show(pieces[at])).join("") };
}

/** The markup as text, to be sent. */
export function render(page: Html): string {
  return page[markup];
}

function show(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return "";
  if (typeof piece === "string") return escapeHtml(piece);
  if (typeof piece === "number") return String(piece);
  return isMarkup(piece) ? piece[markup] : piece.map(show).join("");
}

function isMarkup(piece: Html | readonly Piece[]): piece is Html {
  return !Array.isArray(piece);
}

const URL_IN_TEXT = /https?:\/\/[^\s<>"'`]{1,2000}[^\s<>"'`.,;:!?)\]}]/g;

/** Plain text whose http(s) addresses are links; any other address, `javascript:` too, stays text. */
export function linkify(text: string): Html {
  const pieces: Piece[] = [];
  let from = 0;
  for (const found of text.matchAll(URL_IN_TEXT)) {
    pieces.push(text.slice(from, found.index));
    pieces.push(html`<a href="${found[0]}" target="_blank" rel="noopener noreferrer">${found[0]}</a>`);
    from = found.index + found[0].length;
  }
  pieces.push(text.slice(from));
  return html`${pieces}`;
}

/** A number of bytes in readable units. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} kB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** A moment (epoch milliseconds), in UTC; the page's script shows it in the reader's own zone. */
export function moment(at: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}
