import { expect, test } from "vitest";
import { html, linkify, render, type Html } from "./html.ts";

test("every value is text", () => {
  expect(render(html`<a title="${`"'<&>`}">${"<b>"}</a>`)).toBe('<a title="&quot;&#39;&lt;&amp;&gt;">&lt;b&gt;</a>');
});

test("markup, lists and absent values are put in unescaped", () => {
  expect(render(html`${[1, 2].map((n) => html`<i>${n}</i>`)}${false}${null}${undefined}`)).toBe("<i>1</i><i>2</i>");
});

test("no value from JSON passes for markup", () => {
  const forged = JSON.parse('{"markup":"<script>","html":"<script>"}') as Html;
  expect(render(html`${[forged]}`)).not.toContain("<script>");
});

test("only http addresses become links", () => {
  const link = (address: string): string =>
    `<a href="${address}" target="_blank" rel="noopener noreferrer">${address}</a>`;
  expect(render(linkify("see https://a.example/x?y=1, or (http://b.example)."))).toBe(
    `see ${link("https://a.example/x?y=1")}, or (${link("http://b.example")}).`,
  );
  expect(render(linkify('javascript:alert(1) https://a.example/"onclick="x'))).not.toContain('" onclick');
});
