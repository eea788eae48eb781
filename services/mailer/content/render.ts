import { Liquid } from "liquidjs";
import { Fatal, messageOf } from "../../platform/contract/failure.ts";
import { CountedCapture, MAX_TEMPLATE, renderWithin } from "./limits.ts";
import { line } from "./tidy.ts";
import type { View } from "./view.ts";
import { wrap } from "./wrap.ts";

/** Source texts of the three templates of a mail. */
export interface Sources {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A mail's content, in Unicode, with line feeds as line ends. */
export interface Rendered {
  /** One line of at most MAX_SUBJECT. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export type Render = (view: View) => Rendered;

/** Maximum length of a subject, in UTF-16 code units: more than any client shows. */
const MAX_SUBJECT = 150;
/** Columns of the plain text (RFC 5322, section 2.1.1: at most 78). */
const TEXT_WIDTH = 72;

/** An empty map of `templates` keeps liquidjs away from the file system: nothing can be included. */
const common = {
  parseLimit: MAX_TEMPLATE,
  strictFilters: true,
  strictVariables: false,
  ownPropertyOnly: true,
  templates: {},
};

/**
 * Parses the templates once, and returns a function without I/O that throws only where a template exceeds a limit.
 * Throws Fatal where a template doesn't parse.
 */
export const renderer = (sources: Sources): Render => {
  const plain = new Liquid(common);
  // In a template: {{ text | wrap: "  " }}
  plain.registerFilter("wrap", (value: unknown, indent: unknown = "") =>
    wrap(String(value), TEXT_WIDTH, String(indent)),
  );
  const html = new Liquid({ ...common, outputEscape: "escape" });
  for (const engine of [plain, html]) engine.registerTag("capture", CountedCapture);
  const subject = parsed(plain, sources.subject, "subject");
  const text = parsed(plain, sources.text, "text");
  const body = parsed(html, sources.html, "html");
  return (view) => ({
    subject: line(subject(view), MAX_SUBJECT) || view.product.name,
    text: `${text(view)
      .replace(/\n{3,}/g, "\n\n")
      .trim()}\n`,
    html: `${body(view)
      .replace(/\n\s*\n+/g, "\n")
      .trim()}\n`,
  });
};

const parsed = (engine: Liquid, source: string, name: string): ((view: View) => string) => {
  try {
    const template = engine.parse(source);
    return (view) => renderWithin(engine, template, view);
  } catch (error) {
    throw new Fatal(`the template templates/mail/${name}.liquid doesn't parse: ${messageOf(error)}`);
  }
};
