import { expect, test } from "vitest";
import { listUnsubscribe } from "./unsubscribe.ts";

test.each([
  ["<https://a.example/u>, <mailto:u@a.example>", ["https://a.example/u", "mailto:u@a.example"], ""],
  ["(press here) <https://a.example/u>", ["https://a.example/u"], ""],
  ["<https://a.example/u>, <https://b.example/u>", ["https://a.example/u"], "second http"],
  ["https://a.example/u", ["https://a.example/u"], "enclosed in <>"],
  ["<javascript:alert(1)>", [], "should be an http(s): or mailto:"],
])("%s", (header, links, error) => {
  const { Links, Errors } = listUnsubscribe(header, "");
  expect(Links).toEqual(links);
  if (error === "") expect(Errors).toBe("");
  else expect(Errors).toContain(error);
});
