import type { Values } from "../core/event.ts";
import { laneOf } from "../core/lane.ts";
import type { InboxEntry, LedgerEntry } from "../core/records.ts";

/** Users that one record names at most: what a reader takes at once stays a bounded piece of work. */
const MAX_RECIPIENTS = 500;

/** Entries of a commit on their way to the partitions of their users, as few records as may be. */
export interface Pack<T extends "inbox" | "ledger"> {
  add(entry: Values[T]["entries"][number]): void;
  records(): readonly { readonly partition: number; readonly value: Values[T] }[];
}

/** One user of each share counts; a record is full when its shares are MAX_RECIPIENTS. */
interface Box<Entry> {
  readonly records: Entry[][];
  users: number;
}

const boxes = <Entry>(partitions: number): readonly Box<Entry>[] =>
  Array.from({ length: partitions }, () => ({ records: [], users: 0 }));

const put = <Entry>(box: Box<Entry>, entry: Entry, users: number): void => {
  const last = box.records.at(-1);
  if (last !== undefined && box.users + users <= MAX_RECIPIENTS) last.push(entry);
  else {
    box.records.push([entry]);
    box.users = 0;
  }
  box.users += users;
};

/** The users by partition, some at a time. */
const shares = (users: readonly string[], partitions: number): readonly (readonly [number, readonly string[]])[] =>
  [...Map.groupBy(users, (user) => laneOf(user, partitions))].flatMap(([partition, ofIt]) =>
    Array.from(
      { length: Math.ceil(ofIt.length / MAX_RECIPIENTS) },
      (_none, index) => [partition, ofIt.slice(index * MAX_RECIPIENTS, (index + 1) * MAX_RECIPIENTS)] as const,
    ),
  );

const recordsOf = <Entry>(
  all: readonly Box<Entry>[],
): readonly { readonly partition: number; readonly value: { readonly entries: readonly Entry[] } }[] =>
  all.flatMap(({ records }, partition) => records.map((entries) => ({ partition, value: { entries } })));

/** Entries for the recipients' inboxes; each partition's keep their order. */
export const inboxPack = (partitions: number): Pack<"inbox"> => {
  const all = boxes<InboxEntry>(partitions);
  return {
    add(entry) {
      const mentioned = new Set(entry.mentioned);
      for (const [partition, recipients] of shares(entry.recipients, partitions)) {
        const own = { ...entry, recipients, mentioned: recipients.filter((user) => mentioned.has(user)) };
        const box = all[partition];
        if (box !== undefined) put(box, own, recipients.length);
      }
    },
    records: () => recordsOf(all),
  };
};

/** Verdicts for the ledger; those that differ in their users alone become one, where the first of them stands. */
export const ledgerPack = (partitions: number): Pack<"ledger"> => {
  const merged = new Map<string, LedgerEntry & { readonly users: string[] }>();
  return {
    add(entry) {
      const name = JSON.stringify({ ...entry, users: [] });
      const had = merged.get(name);
      if (had === undefined) merged.set(name, { ...entry, users: [...entry.users] });
      else for (const user of entry.users) had.users.push(user);
    },
    records() {
      const all = boxes<LedgerEntry>(partitions);
      for (const entry of merged.values())
        for (const [partition, users] of shares([...new Set(entry.users)], partitions)) {
          const box = all[partition];
          if (box !== undefined) put(box, { ...entry, users }, users.length);
        }
      return recordsOf(all);
    },
  };
};
