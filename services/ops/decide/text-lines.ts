/**
 * Splits UTF-8 into lines, ended by LF, CR LF or CR. `node:readline` would also split at U+2028 and U+2029, which JSON
 * texts may hold unescaped, and would lose a file's errors.
 */
export async function* textLines(chunks: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let endedInReturn = false;
  for await (const chunk of chunks) {
    const decoded = decoder.decode(chunk as Uint8Array, { stream: true });
    if (decoded === "") continue;
    const text = endedInReturn && decoded.startsWith("\n") ? decoded.slice(1) : decoded;
    endedInReturn = decoded.endsWith("\r");
    const [first = "", ...others] = text.split(/\r\n|\n|\r/);
    rest += first;
    for (const line of others) {
      yield rest;
      rest = line;
    }
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
