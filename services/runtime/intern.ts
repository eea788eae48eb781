/** Texts that are kept at most, and UTF-16 code units of one. */
const MAX_KEPT = 100_000;
const MAX_LENGTH = 64;

const kept = new Map<string, string>();

/**
 * One string for all that say the same, where many records name the same few: what waits to be folded has an id once, not
 * once for each record, and a map that has it as a key finds it by its identity.
 */
export const intern = (text: string): string => {
  const same = kept.get(text);
  if (same !== undefined) return same;
  if (text.length > MAX_LENGTH) return text;
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(text, text);
  return text;
};
