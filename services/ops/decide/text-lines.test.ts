import { expect, test } from "vitest";
import { textLines } from "./text-lines.ts";

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

const linesOf = async (text: string, size: number): Promise<readonly string[]> => {
  const lines: string[] = [];
  for await (const line of textLines(inPieces(new TextEncoder().encode(text), size))) lines.push(line);
  return lines;
};

test.each([1, 2, 3, 5, 1_000])("lines end with LF, CR LF or CR, in pieces of %i bytes", async (size) => {
  expect(await linesOf("a\r\nb\n\n\r\nc\r\rd\r\n", size)).toEqual(["a", "b", "", "", "c", "", "d"]);
  expect(await linesOf("\uFEFFäö\n😀", size)).toEqual(["äö", "😀"]);
  expect(await linesOf("", size)).toEqual([]);
});

test("a line may hold U+2028 and U+2029, as JSON may", async () => {
  expect(await linesOf("a\u2028b\u2029c\nd", 4)).toEqual(["a\u2028b\u2029c", "d"]);
});
