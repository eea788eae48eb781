import type { Access, Notify } from "../../../services/domain/records.ts";

/** A person in the demo's chat. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly emails: readonly string[] | null;
  readonly locale: string;
  readonly timezone: string;
}

/** A conversation of the demo, and its participants. */
export interface Room {
  readonly id: string;
  readonly subject: string;
  readonly members: readonly { readonly id: string; readonly access: Access; readonly notify: Notify }[];
}

export interface Cast {
  readonly people: readonly Person[];
  readonly rooms: readonly Room[];
}

const people: readonly (readonly [id: string, name: string, locale: string, timezone: string])[] = [
  ["ada", "Ada Lovelace", "en-GB", "Europe/London"],
  ["grace", "Grace Hopper", "en-US", "America/New_York"],
  ["alan", "Alan Turing", "en-GB", "Europe/London"],
  ["katherine", "Katherine Johnson", "en-US", "America/New_York"],
  ["edsger", "Edsger Dijkstra", "nl-NL", "Europe/Amsterdam"],
  ["emmy", "Emmy Noether", "de-DE", "Europe/Berlin"],
  ["srinivasa", "Srinivasa Ramanujan", "en-IN", "Asia/Kolkata"],
  ["maryam", "Maryam Mirzakhani", "fa-IR", "Asia/Tehran"],
  ["shafi", "Shafi Goldwasser", "en-US", "America/Los_Angeles"],
  ["kurt", "Kurt Gödel", "de-AT", "Europe/Vienna"],
];

const rooms: readonly (readonly [id: string, subject: string, members: readonly string[]])[] = [
  ["launch", "Launch plan", ["ada", "grace", "alan", "katherine", "edsger"]],
  ["proofs", "Proofs & refutations", ["emmy", "kurt", "srinivasa", "maryam", "alan"]],
  ["lunch", "Lunch", ["ada", "grace", "emmy", "shafi", "kurt", "edsger"]],
  ["ada-grace", "", ["ada", "grace"]],
  ["support", "Support rota", ["katherine", "shafi", "maryam", "ada"]],
];

/** Participants with less access, or fewer notifications, than the others. */
const exceptions: Readonly<Record<string, { readonly access?: Access; readonly notify?: Notify }>> = {
  "proofs/alan": { notify: "MENTIONS_ONLY" },
  "lunch/kurt": { notify: "NONE" },
  "support/maryam": { access: "READ" },
};

/** Addresses of a person. Grace has two, and both get a mail; Kurt has none, and gets none. */
const emailsOf = (id: string, mark: string): readonly string[] | null => {
  if (id === "kurt") return null;
  const own = `${id}${mark}@example.org`;
  return id === "grace" ? [own, `grace.navy${mark}@example.com`] : [own];
};

/** The people and conversations. @param mark is put behind every id, so that several runs share none */
export const cast = (mark = ""): Cast => ({
  people: people.map(([id, name, locale, timezone]) => ({
    id: `${id}${mark}`,
    name,
    emails: emailsOf(id, mark),
    locale,
    timezone,
  })),
  rooms: rooms.map(([room, subject, members]) => ({
    id: `${room}${mark}`,
    subject,
    members: members.map((id) => ({
      id: `${id}${mark}`,
      access: exceptions[`${room}/${id}`]?.access ?? "READ_WRITE",
      notify: exceptions[`${room}/${id}`]?.notify ?? "ALL",
    })),
  })),
});
