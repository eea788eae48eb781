import { expect, test } from "vitest";
import { whole } from "./kafka-socket.ts";

const answer = (text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
};

test("answers are handed over whole, however they come", () => {
  const answers = [answer("one"), answer(""), answer("another"), answer("x".repeat(100))];
  const bytes = Buffer.concat(answers);
  for (const size of [1, 2, 3, 5, 8, 13, 50, bytes.length]) {
    const heard: Buffer[] = [];
    const hear = whole((some) => heard.push(some));
    for (let at = 0; at < bytes.length; at += size) hear(bytes.subarray(at, at + size));
    expect(Buffer.concat(heard)).toEqual(bytes);
    let end = 0;
    const ends = new Set(answers.map(({ length }) => (end += length)));
    let at = 0;
    for (const { length } of heard) expect(ends).toContain((at += length));
  }
});

test("half an answer is never handed over", () => {
  const heard: Buffer[] = [];
  const hear = whole((some) => heard.push(some));
  hear(Buffer.concat([answer("one"), answer("another").subarray(0, 6)]));
  expect(heard).toEqual([answer("one")]);
});
