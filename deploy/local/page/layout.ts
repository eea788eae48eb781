import { html, render, type Html } from "./html.ts";

/** One page: the name of the place, its title, and its content. */
export interface Page {
  /** The place, such as "Mailbox": the way home in the header. */
  readonly place: string;
  readonly title: string;
  /** Content of the header beside the place. */
  readonly aside?: Html;
  readonly body: Html;
  /** Address of the Server-Sent Events that keep this page current. */
  readonly live?: string;
}

/** The whole document, as text. */
export function layout(page: Page): string {
  return render(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<script src="/script.js" defer></script>
</head>
<body${page.live === undefined ? false : html` data-live="${page.live}"`}>
<a class="skip" href="#main">Skip to content</a>
<header class="top"><a class="place" href="/">${page.place}</a>${page.aside}${page.live !== undefined && liveSign()}</header>
<main id="main" tabindex="-1">${page.body}</main>
</body>
</html>
`);
}

function liveSign(): Html {
  return html`<span class="live" role="status" data-live-sign>connecting</span>`;
}

/** The position in a list, with links to its neighbours. */
export interface Place {
  readonly start: number;
  readonly perPage: number;
  readonly matching: number;
  /** The name of the items, in the plural. */
  readonly things: string;
  /** The address of the page that starts there. */
  readonly link: (start: number) => string;
}

/** The foot of a list. The first page counts on by itself while it is live. */
export function pageLinks({ start, perPage, matching, things, link }: Place): Html {
  const end = Math.min(start + perPage, matching);
  const where =
    start === 0 ? html`<span data-live-count>${matching}</span> ${things}` : html`${start + 1}–${end} of ${matching}`;
  return html`<nav class="pages" aria-label="Pages">
    ${start > 0 && html`<a class="button" href="${link(Math.max(0, start - perPage))}" rel="prev">Newer</a>`}
    <span class="note">${where}</span>
    ${end < matching && html`<a class="button" href="${link(end)}" rel="next">Older</a>`}
  </nav>`;
}
