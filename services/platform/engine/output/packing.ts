import type { Verdict } from "../../contract/effect.ts";
import type { Values } from "../../../domain/log-record.ts";
import type { UserId } from "../../../domain/ids.ts";
import { laneOf } from "../../contract/lane.ts";
import type { InboxEntry, LedgerEntry } from "../../../domain/records.ts";

/** Users that one record names at most: what a reader takes at once stays a bounded piece of work. */
const MAX_RECIPIENTS = 500;
/**
 * UTF-16 code units of a record's ids at most, more than one entry can have: three bytes each, they stay below the 2 MiB
 * that our topics take.
 */
const MAX_UNITS = 600_000;
/** Units for what else an entry says, and for an id beside its characters. */
const UNITS_OF_ENTRY = 200;
const UNITS_OF_ID = 2;

/** Entries of a commit on their way to the partitions of their users, as few records as may be. */
export interface Pack<T extends "inbox" | "ledger", Given extends readonly unknown[]> {
  add(...given: Given): void;
  records(): readonly { readonly partition: number; readonly value: Values[T] }[];
}

/** A record is full when it names MAX_RECIPIENTS users, or its ids have MAX_UNITS. */
interface Box<Entry> {
  readonly records: Entry[][];
  users: number;
  units: number;
}

const boxes = <Entry>(partitions: number): readonly Box<Entry>[] =>
  Array.from({ length: partitions }, () => ({ records: [], users: 0, units: 0 }));

const unitsOf = (ids: readonly (string | null)[]): number =>
  ids.reduce((sum, id) => sum + UNITS_OF_ID + (id?.length ?? 0), 0);

/** @param its users, and units of their ids and all others */
const put = <Entry>(box: Box<Entry>, entry: Entry, its: { readonly users: number; readonly units: number }): void => {
  const [users, units] = [its.users, its.units + UNITS_OF_ENTRY];
  const last = box.records.at(-1);
  if (last !== undefined && box.users + users <= MAX_RECIPIENTS && box.units + units <= MAX_UNITS) last.push(entry);
  else {
    box.records.push([entry]);
    box.users = box.units = 0;
  }
  box.users += users;
  box.units += units;
};

/** The users by partition, some at a time. */
const shares = (users: readonly string[], partitions: number): readonly (readonly [number, readonly string[]])[] => {
  const [first] = users;
  if (first === undefined) return [];
  const only = laneOf(first, partitions);
  if (users.length <= MAX_RECIPIENTS && users.every((user) => user === first || laneOf(user, partitions) === only))
    return [[only, users]]; // who folds what is told of a lane's users tells of them alone
  return [...Map.groupBy(users, (user) => laneOf(user, partitions))].flatMap(([partition, ofIt]) =>
    Array.from(
      { length: Math.ceil(ofIt.length / MAX_RECIPIENTS) },
      (_none, index) => [partition, ofIt.slice(index * MAX_RECIPIENTS, (index + 1) * MAX_RECIPIENTS)] as const,
    ),
  );
};

const recordsOf = <Entry>(
  all: readonly Box<Entry>[],
): readonly { readonly partition: number; readonly value: { readonly entries: readonly Entry[] } }[] =>
  all.flatMap(({ records }, partition) => records.map((entries) => ({ partition, value: { entries } })));

/** Entries for the recipients' inboxes; each partition's keep their order. */
export const inboxPack = (partitions: number): Pack<"inbox", [InboxEntry]> => {
  const all = boxes<InboxEntry>(partitions);
  return {
    add(entry) {
      const mentioned = new Set(entry.mentioned);
      for (const [partition, recipients] of shares(entry.recipients, partitions)) {
        const own = { ...entry, recipients, mentioned: recipients.filter((user) => mentioned.has(user)) };
        const box = all[partition];
        const { conversationId, messageId, senderId } = entry;
        const units = unitsOf([conversationId, messageId, senderId]) + unitsOf(recipients) + unitsOf(own.mentioned);
        if (box !== undefined) put(box, own, { users: recipients.length, units });
      }
    },
    records: () => recordsOf(all),
  };
};

/** Verdicts for the ledger; those that differ in their users alone become one, where the first of them stands. */
export const ledgerPack = (partitions: number): Pack<"ledger", [Verdict, readonly UserId[]]> => {
  const byText = new Map<string, { readonly entry: Verdict; readonly users: UserId[] }>();
  return {
    add(entry, users) {
      const text = JSON.stringify(entry);
      const same = byText.get(text);
      if (same === undefined) byText.set(text, { entry, users: [...users] });
      else for (const user of users) same.users.push(user);
    },
    records() {
      const all = boxes<LedgerEntry>(partitions);
      for (const { entry, users: some } of byText.values())
        for (const [partition, users] of shares(distinct(some), partitions)) {
          const box = all[partition];
          const units = unitsOf([entry.conversationId]) + unitsOf(entry.messageIds) + unitsOf(users);
          if (box !== undefined) put(box, { ...entry, users }, { users: users.length, units });
        }
      return recordsOf(all);
    },
  };
};

const distinct = (users: readonly UserId[]): readonly UserId[] => {
  if (users.length === 1) return users;
  const all = new Set(users);
  return all.size === users.length ? users : [...all];
};
