/** The rule's ledger of one user, instant by instant. */
import type { LedgerEntry } from "../../services/domain/records.ts";
import { nameOf } from "./missed.ts";

/** The ledger at the end of an instant. */
export interface Page {
  /** The verdicts of the instant about each message, in order. */
  readonly said: ReadonlyMap<string, readonly LedgerEntry[]>;
  /** The latest verdict about each message. */
  readonly stands: ReadonlyMap<string, LedgerEntry>;
  /** The messages that stand as missed, by conversation. */
  readonly missed: ReadonlyMap<string, ReadonlySet<string>>;
  /** The reason that holds each conversation with missed messages. */
  readonly held: ReadonlyMap<string, string | null>;
}

/** A ledger that is read from its beginning. */
export interface Ledger {
  /** The next instant with a verdict; Infinity: there is none. */
  next(): number;
  /** The page of an instant, no later than the next. It changes when another is asked for. */
  page(at: number): Page;
}

/** @param entries those about one user, in order */
export function ledgerOf(entries: readonly LedgerEntry[]): Ledger {
  const stands = new Map<string, LedgerEntry>();
  const missed = new Map<string, Set<string>>();
  const held = new Map<string, string | null>();
  let place = 0;

  /** A notification is about every missed message of its conversations, however many it names. */
  const namesOf = ({ verdict, conversationId, messageIds }: LedgerEntry): readonly string[] => {
    if (verdict !== "TRIGGERED")
      return messageIds.map((messageId) => nameOf({ conversationId: conversationId ?? "", messageId }));
    const conversations = conversationId === null ? [...missed.values()] : [missed.get(conversationId) ?? []];
    return conversations.flatMap((names) => [...names]);
  };
  const close = (name: string): void => {
    for (const [conversation, names] of missed) {
      if (!names.delete(name) || names.size > 0) continue;
      missed.delete(conversation);
      held.delete(conversation);
    }
  };
  const fold = (entry: LedgerEntry, said: Map<string, LedgerEntry[]>): void => {
    const conversation = entry.conversationId ?? "";
    if (entry.verdict === "HELD") held.set(conversation, entry.reason);
    for (const name of namesOf(entry)) {
      said.set(name, [...(said.get(name) ?? []), entry]);
      stands.set(name, entry);
      if (entry.verdict === "CANDIDATE") missed.set(conversation, (missed.get(conversation) ?? new Set()).add(name));
      else close(name);
    }
  };

  return {
    next: () => entries[place]?.occurredAt ?? Infinity,
    page(at) {
      const said = new Map<string, LedgerEntry[]>();
      for (let entry = entries[place]; entry?.occurredAt === at; entry = entries[++place]) fold(entry, said);
      return { said, stands, missed, held };
    },
  };
}
