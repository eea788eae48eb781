import { CaptureTag, Context, type Liquid, type Template } from "liquidjs";
import type { View } from "./view.ts";

/** Maximum length of a template, in characters. */
export const MAX_TEMPLATE = 100_000;
/** CPU time that one rendering may take, in milliseconds. */
const MAX_RENDER_TIME = 1_000;
/** Memory that one rendering may take, as liquidjs counts it: characters and elements. The largest mail takes some 50,000. */
const MAX_RENDER_MEMORY = 1_000_000;
/** Maximum length of what a template makes, in characters: ten times that of the largest mail. */
const MAX_OUTPUT = 1_000_000;

/**
 * Renders a template. Throws where that takes more than a second of CPU time, or too much memory, or makes too long a
 * text. liquidjs's own `renderLimit` is wall time: on a busy machine it would stop a good template that only waits for a
 * processor. Every node, each round of a loop and each filter checks the time, and no filter takes more than
 * MAX_RENDER_MEMORY elements at once.
 */
export const renderWithin = (engine: Liquid, template: Template[], view: View): string => {
  const context = new Context(view, engine.options, { sync: true, memoryLimit: MAX_RENDER_MEMORY }, { liquid: engine });
  const { memoryLimit, renderLimit } = context;
  const check = workLimit();
  const use = memoryLimit.use.bind(memoryLimit);
  renderLimit.check = check;
  memoryLimit.use = (count) => {
    check(performance.now());
    use(count);
  };
  const text = String(engine.renderSync(template, context));
  if (text.length > MAX_OUTPUT) throw new Error(`template output limit exceeded: more than ${MAX_OUTPUT} characters`);
  return text;
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

/** `{% capture %}`, counted as memory: liquidjs counts what filters take, but not what this tag keeps. */
export class CountedCapture extends CaptureTag {
  override *render(context: Context): Generator<unknown, void, string> {
    yield* super.render(context);
    context.memoryLimit.use(String(context.bottom()[this.variable]).length);
  }
}
