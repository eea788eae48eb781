/**
 * Wraps at blanks, so that no line is longer than `width` (RFC 5322, section 2.1.1: 78 at most is asked for); each begins
 * with `indent`. A word that is longer (an address, say) keeps a line for itself: breaking it would break it.
 * @param width columns, indent included; a character counts as one
 */
export const wrap = (text: string, width: number, indent = ""): string =>
  text
    .split("\n")
    .map((paragraph) => filled(paragraph, width - indent.length).map((one) => (one === "" ? "" : indent + one)))
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
