import { html, moment, type Html } from "../page/html.ts";
import { layout, pageLinks } from "../page/layout.ts";
import type { MessageSummary } from "./mailpit.ts";

/** The name in the header of the mailbox's pages. */
export const PLACE = "Mailbox";

/** The content of the list page. */
export interface ListPage {
  readonly summaries: readonly MessageSummary[];
  readonly matching: number;
  readonly start: number;
  readonly perPage: number;
  readonly filter: Filter;
  /** Addresses suggested in the recipient's field. */
  readonly recipients: readonly string[];
  /** Cursor of the newest mail at the time, from which the page follows. */
  readonly since: string;
}

/** The query of the list's reader. */
export interface Filter {
  readonly to: string;
  readonly query: string;
}

/** The list of mails, newest first. */
export function listPage(page: ListPage): string {
  const { filter, start } = page;
  const link = (at: number): string => `/?${new URLSearchParams({ ...filter, start: String(at) }).toString()}`;
  const filtered = filter.to !== "" || filter.query !== "";
  return layout({
    place: PLACE,
    title: filter.to === "" ? PLACE : `${PLACE}: ${filter.to}`,
    aside: html`<span class="note">every mail of this stack ends here; nothing is delivered</span>`,
    // Only the first page follows new mails.
    ...(start === 0 && { live: `/live?${new URLSearchParams({ ...filter, since: page.since }).toString()}` }),
    body: html`<h1 class="skip">Mails</h1>
      ${filterForm(page)}
      <div class="card">
        <ul class="rows" data-live-rows>
          ${page.summaries.map(mailRow)}
        </ul>
        <p class="empty">${filtered ? "No mail matches." : "No mail yet. What is sent shows up here by itself."}</p>
      </div>
      ${pageLinks({ start, perPage: page.perPage, matching: page.matching, things: "mails", link })}`,
  });
}

function filterForm({ filter, recipients }: ListPage): Html {
  return html`<form class="filter" role="search" method="get" action="/">
    <label
      >Recipient<input
        name="to"
        type="search"
        value="${filter.to}"
        list="recipients"
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        placeholder="ada@example.com"
    /></label>
    <datalist id="recipients">${recipients.map((address) => html`<option value="${address}"></option>`)}</datalist>
    <label
      >Search<input
        name="query"
        type="search"
        value="${filter.query}"
        placeholder="words, subject:…, from:…, is:unread"
    /></label>
    <button class="first">Filter</button>
    ${(filter.to !== "" || filter.query !== "") && html`<a class="button" href="/">Show all</a>`}
    <button
      type="button"
      class="danger"
      data-delete="/api/v1/messages"
      data-confirm="Delete every mail in this mailbox?"
    >
      Delete all
    </button>
  </form>`;
}

/** One mail of the list. */
export function mailRow(summary: MessageSummary): Html {
  const to = [...summary.To, ...summary.Cc, ...summary.Bcc].map(({ Address }) => Address).join(", ");
  return html`<li${!summary.Read && html` class="unread"`}><a class="row" href="/mail/${summary.ID}">
<span class="who">${to}</span>
<span class="what"><b>${summary.Subject || "(no subject)"}</b>${summary.Attachments > 0 && html` <span class="tag">${summary.Attachments} attached</span>`} <span class="sub">${summary.Snippet}</span></span>
${moment(Date.parse(summary.Created))}
</a></li>`;
}
