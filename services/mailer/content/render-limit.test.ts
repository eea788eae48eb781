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
  const html = `{% assign list = (1..1000) %}${loop(loop(loop("{% if i == 0 %}.{% endif %}")))}`;
  const render = renderer({ ...sources, html });
  const before = process.threadCpuUsage();
  expect(() => render(view)).toThrow(/^template render limit exceeded: more than 1000 ms of CPU time/);
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1_000).toBeGreaterThan(1_000);
  expect((user + system) / 1_000).toBeLessThan(2_500);
});

const times = (count: number, text: string): string => text.repeat(count);

test.each([
  ["filters of many elements", `{% assign l = (1..100000) %}{{ l${times(80, " | where_exp: 'x', 'x > 0'")} | size }}`],
  ["one filter of very many elements", "{% assign l = (1..900000) | where_exp: 'x', 'x > 0' %}{{ l | size }}"],
  [
    "a text that doubles",
    `{% assign s = "12345678" %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}`,
  ],
  [
    "a text that is replaced by longer ones",
    `{% assign s = "aa" %}{% for i in (1..40) %}{% assign s = s | replace: "a", "aaaa" %}{% endfor %}`,
  ],
  [
    "a captured text",
    `{% capture s %}{% for i in (1..3000) %}${times(1_000, "0123456789")}{% endfor %}{% endcapture %}{{ s | replace: "0", "1" }}`,
  ],
  [
    "captures of captures",
    `{% assign s = "0123456789" %}{% for i in (1..40) %}{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}`,
  ],
  ["a long output", `{% for i in (1..3000) %}${times(1_000, "0123456789")}{% endfor %}`],
  ["sorting", `{% assign l = (1..100000) %}{{ l${times(80, " | reverse | sort")} | size }}`],
  ["a long range", "{% for i in (1..100000000) %}{% endfor %}"],
])("a template is stopped before it takes 200 MB: %s", (_, html) => {
  const render = renderer({ ...sources, html });
  const heap = process.memoryUsage().heapUsed;
  expect(() => render(view)).toThrow(/^(?:template (?:render|output)|memory alloc) limit exceeded/);
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(200_000_000);
});
