import { expect, test } from "vitest";
import { compose } from "./compose.ts";
import { conversation, message, person, triggered } from "./notification.fixture.ts";
import { renderer } from "./render.ts";
import { readTemplates } from "./templates.ts";

const sources = await readTemplates();
const event = triggered([conversation("X", [message(person("Ada Lovelace"), "Hello")])]);
if (event.snapshot === null) throw new Error("no snapshot");
const view = compose(event, event.snapshot, { productName: "Chatterbox", joinUrl: "https://chat.example.com" });

/** Milliseconds for which a template is made to wait, more than its limit of CPU time. */
const WAIT = 1_500;

test("a template that only waits for a processor is never stopped", () => {
  let waits = 0;
  const product = {
    get name() {
      if (waits++ === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT);
      return "Chatterbox";
    },
  };
  const html = "<p>{{ product.name }}</p>{% for i in (1..3) %}{{ i }}{% endfor %}";
  expect(renderer({ ...sources, html })({ ...view, product }).html).toBe("<p>Chatterbox</p>123\n");
  expect(waits).toBeGreaterThan(0);
});

test("a template that loops without end is stopped after a second of CPU time", () => {
  const loop = (inner: string): string => `{% for i in list %}${inner}{% endfor %}`;
  const html = `{% assign list = (1..1000) %}${loop(loop(loop("{{ i }}")))}`;
  const render = renderer({ ...sources, html });
  const before = process.threadCpuUsage();
  expect(() => render(view)).toThrow(/^template render limit exceeded: more than 1000 ms of CPU time/);
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1_000).toBeGreaterThan(1_000);
  expect((user + system) / 1_000).toBeLessThan(2_500);
});
