import type { Feed } from "../page/live.ts";
import type { MessageSummary } from "./mailpit.ts";
import type { MailReader } from "./reader.ts";
import { readQuery } from "./search.ts";
import type { MailStore, StoredMail } from "./store.ts";

/** Part of the mails that match a query, newest first. */
export interface Listing {
  readonly summaries: readonly MessageSummary[];
  /** Number of mails that match. */
  readonly matching: number;
  readonly unread: number;
}

/**
 * Lists mails that match a query ("" for all), newest first. Only the mails of the page are parsed, unless the query
 * needs more.
 */
export async function listMails(
  store: MailStore,
  reader: MailReader,
  wanted: { readonly query: string; readonly start: number; readonly limit: number },
): Promise<Listing> {
  const mails = await matchingMails(store, reader, wanted.query);
  const summaries: MessageSummary[] = [];
  // One after the other: fifty mails of the largest size at once would be more than a gigabyte.
  for (const mail of mails.slice(wanted.start, wanted.start + wanted.limit)) summaries.push(await reader.summary(mail));
  const unread = mails.filter(({ id }) => !reader.isRead(id)).length;
  return { summaries, matching: mails.length, unread };
}

/** The newest mail that matches a query ("" for any). */
export async function latestMail(store: MailStore, reader: MailReader, query: string): Promise<StoredMail | undefined> {
  return query === "" ? store.mails().at(-1) : (await matchingMails(store, reader, query))[0];
}

async function matchingMails(store: MailStore, reader: MailReader, query: string): Promise<StoredMail[]> {
  const mails = store.mails().toReversed();
  if (query.trim() === "") return mails;
  const matches = readQuery(query);
  const found: StoredMail[] = [];
  for (const mail of mails) if (matches(await reader.searchable(mail), reader.isRead(mail.id))) found.push(mail);
  return found;
}

/** The store's mails as a live feed; a mail's id is its cursor. */
export function mailFeed(store: MailStore): Feed<StoredMail> {
  const after = (cursor: string): readonly StoredMail[] => {
    const mails = store.mails();
    const before = mails.findLastIndex(({ id }) => id <= cursor);
    return mails.slice(before + 1);
  };
  return {
    after: (cursor, limit) => after(cursor).slice(0, limit),
    countAfter: (cursor) => after(cursor).length,
    newest: () => store.mails().at(-1)?.id ?? "",
    onGrowth: store.onMail,
  };
}
