import { html, linkify, moment, size, type Html } from "../page/html.ts";
import { layout } from "../page/layout.ts";
import { headerFields } from "./headers.ts";
import { PLACE } from "./list-page.ts";
import type { Address, Attachment } from "./mailpit.ts";
import type { ParsedMessage } from "./parse.ts";
import type { StoredMail } from "./store.ts";
import { VIEW_SANDBOX } from "./view.ts";

/** The views of a mail. */
export const SHOWS = ["html", "text", "headers", "source"] as const;
/** One view of a mail. */
export type Show = (typeof SHOWS)[number];

/** The content of a mail's page. */
export interface MailPage {
  readonly mail: StoredMail;
  readonly parsed: ParsedMessage;
  readonly raw: Buffer;
  readonly show: Show;
  readonly remotePictures: boolean;
  readonly newer: string | undefined;
  readonly older: string | undefined;
}

/** Characters of a mail's source that its page shows; the rest is in the download. */
const SOURCE_SHOWN_CHARS = 500_000;

/** One mail, as its recipient would see it. */
export function mailPage(page: MailPage): string {
  const { mail, parsed, show } = page;
  const { message } = parsed;
  const here = `/mail/${mail.id}`;
  const names: Readonly<Record<Show, string>> = { html: "Mail", text: "Text", headers: "Headers", source: "Source" };
  const shows = SHOWS.filter((way) => way !== "html" || message.HTML !== "");
  const tab = (way: Show): Html =>
    html`<a href="${here}?show=${way}" ${way === show && html` aria-current="page"`}>${names[way]}</a>`;
  return layout({
    place: PLACE,
    title: message.Subject || "(no subject)",
    body: html`<div class="bar">
        <a class="button" href="/">All mails</a>
        ${page.newer !== undefined && html`<a class="button" href="/mail/${page.newer}" rel="prev">Newer</a>`}
        ${page.older !== undefined && html`<a class="button" href="/mail/${page.older}" rel="next">Older</a>`}
        <a class="button push" href="/api/v1/message/${mail.id}/raw?dl=1">Download .eml</a>
        <button
          type="button"
          class="danger"
          data-delete="/api/v1/messages"
          data-body="${JSON.stringify({ IDs: [mail.id] })}"
          data-confirm="Delete this mail?"
        >
          Delete
        </button>
      </div>
      <section class="card pad">
        <h1>${message.Subject || "(no subject)"}</h1>
        ${mailFacts(page)}${attachments(mail.id, message.Attachments)}
      </section>
      ${parsed.problem !== undefined && html`<p class="card pad"><span class="tag bad">Could not be taken apart</span> ${parsed.problem}</p>`}
      <nav class="tabs" aria-label="Ways to look at this mail">${shows.map(tab)}</nav>
      <section class="card">${shown(page)}</section>`,
  });
}

function mailFacts({ mail, parsed: { message } }: MailPage): Html {
  const fact = (name: string, value: Html | string): Html =>
    html`<dt>${name}</dt>
      <dd>${value}</dd>`;
  const people = (list: readonly Address[]): string => {
    return list.map(({ Name, Address }) => (Name === "" ? Address : `${Name} <${Address}>`)).join(", ");
  };
  const optional = (name: string, list: readonly Address[]): Html | false =>
    list.length > 0 && fact(name, people(list));
  return html`<dl class="facts">
    ${fact("From", people([message.From]))}${fact("To", people(message.To))}
    ${optional("Cc", message.Cc)}${optional("Bcc", message.Bcc)}${optional("Reply-To", message.ReplyTo)}
    ${fact("Received", html`${moment(mail.receivedAt)} · ${size(mail.size)}`)}
    ${fact("Envelope", html`<span class="sub">${mail.from || "<>"} → ${mail.to.join(", ")}</span>`)}
  </dl>`;
}

function attachments(id: string, list: readonly Attachment[]): Html | false {
  const one = ({ PartID, FileName, ContentType, Size }: Attachment): Html => {
    const address = `/api/v1/message/${id}/part/${encodeURIComponent(PartID)}`;
    const picture = /^image\/(png|jpeg|gif|webp|avif)$/.test(ContentType);
    return html`<li>
      <a class="button" href="${address}"
        >${picture && html`<img src="${address}" alt="" />`}<span
          >${FileName || `Part ${PartID}`} <span class="sub">${size(Size)}</span></span
        ></a
      >
    </li>`;
  };
  return (
    list.length > 0 &&
    html`<ul class="attachments" aria-label="Attachments">
      ${list.map(one)}
    </ul>`
  );
}

function shown({ mail, parsed, raw, show, remotePictures }: MailPage): Html {
  switch (show) {
    case "html": {
      const view = `/view/${mail.id}.html${remotePictures ? "?remote=1" : ""}`;
      const other = remotePictures
        ? html`<a href="/mail/${mail.id}">Block pictures from elsewhere</a>`
        : html`<a href="/mail/${mail.id}?remote=1">Load pictures from elsewhere</a>`;
      return html`<iframe
          class="letter"
          title="The mail"
          sandbox="${VIEW_SANDBOX}"
          referrerpolicy="no-referrer"
          src="${view}"
        ></iframe>
        <p class="note pad">${other} · <a href="${view}" target="_blank" rel="noopener">Open by itself</a></p>`;
    }
    case "text":
      return parsed.message.Text === ""
        ? html`<p class="empty">This mail has no text part.</p>`
        : html`<pre tabindex="0">${linkify(parsed.message.Text)}</pre>`;
    case "headers":
      return html`<dl class="facts wide pad">
        ${headerFields(raw).map(
          ({ name, value }) =>
            html`<dt>${name}</dt>
              <dd>${value}</dd>`,
        )}
      </dl>`;
    case "source":
      return html`<pre tabindex="0">${raw.toString("utf8").slice(0, SOURCE_SHOWN_CHARS)}</pre>`;
  }
}
