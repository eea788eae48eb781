/**
 * Wraps a text at blanks, so that lines have at most `width` columns (RFC 5322, section 2.1.1, asks for at most 78). Each
 * line begins with `indent`. A longer word, such as a URL, keeps a line of its own: a broken URL leads nowhere.
 * @param width columns, including the indent; a character counts as one
 */
export const wrap = (text: string, width: number, indent = ""): string =>
  text
    .split("\n")
    .map((paragraph) => filled(paragraph, width - indent.length).map((row) => (row === "" ? "" : indent + row)))
    .flat()
    .join("\n");

const filled = (paragraph: string, width: number): readonly string[] => {
  if (paragraph.length <= width) return [paragraph.trimEnd()];
  const full: string[] = [];
  let current = "";
  for (const word of paragraph.split(/[ \t]+/)) {
    if (current !== "" && current.length + 1 + word.length > width) {
      full.push(current);
      current = word;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return [...full, current];
};
