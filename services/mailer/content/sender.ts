import { murmur2 } from "../../platform/contract/lane.ts";
import type { Person } from "../../domain/records.ts";
import { line } from "./tidy.ts";
import type { Sender } from "./view.ts";
import { webUrl } from "./weburl.ts";

/** Maximum length of a name, in UTF-16 code units. */
export const MAX_NAME = 80;
/** Maximum length of an initial: one grapheme may have any number of combining marks. */
const MAX_INITIAL = 12;
const NAMELESS = "Someone";
/** Background colors on which white letters have a contrast of at least 4.5 (WCAG 2.2, 1.4.3). */
const COLORS = ["#3b5bdb", "#0b7285", "#2b7a3b", "#a61e4d", "#862e9c", "#5f3dc4", "#a3480a", "#495057"] as const;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Makes the sender that a mail shows: name, photo, initials and color. */
export const senderOf = (person: Person | null): Sender => {
  const name = line(person?.name ?? "", MAX_NAME) || NAMELESS;
  return {
    name,
    photoUrl: webUrl(person?.photoUrl ?? null),
    initials: initialsOf(name),
    color: COLORS[murmur2(person?.userId ?? "") % COLORS.length] ?? COLORS[0],
  };
};

/** Takes the first letters of the first and the last word. */
const initialsOf = (name: string): string => {
  const words = name.split(" ").filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? name];
  return chosen.map((word) => firstLetter(word ?? "").toUpperCase()).join("");
};

const firstLetter = (word: string): string => {
  for (const { segment } of graphemes.segment(word))
    return segment.length <= MAX_INITIAL ? segment : segment.slice(0, 1);
  return "";
};
