import { Context, Liquid, type Template } from "liquidjs";
import { Fatal, messageOf } from "../../platform/contract/failure.ts";
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

/** Maximum length of a template, in characters. */
const MAX_TEMPLATE = 100_000;
/** CPU time that one rendering may take, in milliseconds. */
const MAX_RENDER_TIME = 1_000;
/** Memory that one rendering may allocate, as liquidjs counts it: about characters and elements. */
const MAX_RENDER_MEMORY = 10_000_000;
/** Maximum length of a subject, in UTF-16 code units: more than any client shows. */
const MAX_SUBJECT = 150;
/** Columns of the plain text (RFC 5322, section 2.1.1: at most 78). */
const TEXT_WIDTH = 72;

const limits = { parseLimit: MAX_TEMPLATE, memoryLimit: MAX_RENDER_MEMORY };
/** An empty map of `templates` keeps liquidjs away from the file system: nothing can be included. */
const common = { ...limits, strictFilters: true, strictVariables: false, ownPropertyOnly: true, templates: {} };

/**
 * Parses the templates once, and returns a function without I/O that throws only where a template exceeds a limit.
 * Throws Fatal where a template doesn't parse. Only this file imports liquidjs.
 */
export const renderer = (sources: Sources): Render => {
  const plain = new Liquid(common);
  // In a template: {{ text | wrap: "  " }}
  plain.registerFilter("wrap", (value: unknown, indent: unknown = "") =>
    wrap(String(value), TEXT_WIDTH, String(indent)),
  );
  const html = new Liquid({ ...common, outputEscape: "escape" });
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
    return (view) => rendered(engine, template, view);
  } catch (error) {
    throw new Fatal(`the template templates/mail/${name}.liquid doesn't parse: ${messageOf(error)}`);
  }
};

/**
 * Renders under a limit of CPU time. liquidjs's own `renderLimit` is wall time: on a busy machine it would stop a good
 * template that only waits for a processor. Every node checks the limit, and each round of a loop checks it again.
 */
const rendered = (engine: Liquid, template: Template[], view: View): string => {
  const context = new Context(view, engine.options, { sync: true }, { liquid: engine });
  context.renderLimit.check = workLimit();
  return String(engine.renderSync(template, context));
};

/**
 * Counts this thread's CPU time from the call on: `process.cpuUsage` would add other threads, such as garbage collection.
 * @returns a check that takes `performance.now()` and throws over the limit
 */
const workLimit = (): ((now: number) => void) => {
  const [began, before] = [performance.now(), process.threadCpuUsage()];
  return (now) => {
    if (now - began <= MAX_RENDER_TIME) return; // CPU time is never more than wall time, and reading it takes a system call
    const { user, system } = process.threadCpuUsage(before);
    if ((user + system) / 1_000 > MAX_RENDER_TIME)
      throw new Error(`template render limit exceeded: more than ${MAX_RENDER_TIME} ms of CPU time`);
  };
};
