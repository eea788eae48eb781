import { html, moment, type Html } from "../page/html.ts";
import { layout, pageLinks } from "../page/layout.ts";
import type { Delivery, Summary } from "./deliveries.ts";

const PLACE = "Webhook receiver";

/** The query of the list's reader; "" for any. */
export interface Filter {
  readonly name: string;
  readonly type: string;
  readonly user: string;
}

/** The content of the list page. */
export interface ListPage {
  readonly deliveries: readonly Delivery[];
  readonly matching: number;
  readonly start: number;
  readonly perPage: number;
  readonly filter: Filter;
  readonly summary: Summary;
  /** Cursor of the newest delivery at the time, from which the page follows. */
  readonly since: string;
}

/** The list of deliveries, newest first. */
export function listPage(page: ListPage): string {
  const { filter, start } = page;
  const link = (at: number): string => `/?${new URLSearchParams({ ...filter, start: String(at) }).toString()}`;
  const filtered = Object.values(filter).some((value) => value !== "");
  return layout({
    place: PLACE,
    title: PLACE,
    aside: html`<span class="note">what a subscriber of this stack would get</span>`,
    ...(start === 0 && { live: `/live?${new URLSearchParams({ ...filter, since: page.since }).toString()}` }),
    body: html`<h1 class="skip">Deliveries</h1>
      ${tiles(page.summary)}
      <form class="filter" role="search" method="get" action="/">
        <label
          >User<input name="user" type="search" value="${filter.user}" autocapitalize="none" spellcheck="false"
        /></label>
        <label
          >Type<input name="type" type="search" value="${filter.type}" autocapitalize="none" spellcheck="false"
        /></label>
        <label
          >Endpoint<input name="name" type="search" value="${filter.name}" autocapitalize="none" spellcheck="false"
        /></label>
        <button class="first">Filter</button>
        ${filtered && html`<a class="button" href="/">Show all</a>`}
      </form>
      <div class="card">
        <ul class="rows" data-live-rows>
          ${page.deliveries.map(deliveryRow)}
        </ul>
        <p class="empty">
          ${filtered ? "No delivery matches." : "No delivery yet. What is sent to /hooks/… shows up here by itself."}
        </p>
      </div>
      ${pageLinks({ start, perPage: page.perPage, matching: page.matching, things: "deliveries", link })}`,
  });
}

/** The totals; sent again as they change. */
export function tiles({ received, distinct, verified, repeated, byType }: Summary): Html {
  const tile = (name: string, value: number): Html =>
    html`<div class="card">
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>`;
  const types = Object.entries(byType).toSorted(([, a], [, b]) => b - a);
  const chip = ([type, count]: readonly [string, number]): Html =>
    html`<a class="tag" href="/?${new URLSearchParams({ type }).toString()}">${type} ${count}</a>`;
  return html`<section id="tiles" aria-label="Totals">
    <dl class="tiles">
      ${tile("Received", received)}${tile("Verified", verified)}${tile("Distinct", distinct)}${tile("Repeated", repeated)}
    </dl>
    <div class="chips">${types.map(chip)}</div>
  </section>`;
}

/** One delivery of the list. */
export function deliveryRow(delivery: Delivery): Html {
  const { number, type, user, name, id, receivedAt } = delivery;
  return html`<li>
    <a class="row" href="/deliveries/${number}">
      <span class="who">${user || "—"}</span>
      <span class="what"
        ><b>${type || "(no type)"}</b> ${signs(delivery)}
        <span class="sub">${name} · ${id || "no webhook-id"}</span></span
      >
      ${moment(receivedAt)}
    </a>
  </li>`;
}

function signs({ verified, problem, seen, status }: Delivery): Html {
  const verdict = verified
    ? html`<span class="tag good">verified</span>`
    : html`<span class="tag bad">${problem}</span>`;
  const repeat = seen > 1 && html` <span class="tag warn">seen ${seen} times</span>`;
  return html`${verdict}${repeat}${(status < 200 || status > 299) && html` <span class="tag">answered ${status}</span>`}`;
}

/** One delivery, with its headers and payload. */
export function deliveryPage(delivery: Delivery, all: readonly Delivery[]): string {
  const others = all.filter(
    ({ id, name, number }) => id !== "" && id === delivery.id && name === delivery.name && number !== delivery.number,
  );
  return layout({
    place: PLACE,
    title: delivery.type || "(no type)",
    body: html`<div class="bar"><a class="button" href="/">All deliveries</a></div>
      <section class="card pad">
        <h1>${delivery.type || "(no type)"}</h1>
        <p>${signs(delivery)}</p>
        <dl class="facts">
          <dt>User</dt>
          <dd>${delivery.user || "—"}</dd>
          <dt>Endpoint</dt>
          <dd>${delivery.name}</dd>
          <dt>webhook-id</dt>
          <dd>${delivery.id || "—"}</dd>
          <dt>Received</dt>
          <dd>${moment(delivery.receivedAt)}</dd>
          <dt>Answered</dt>
          <dd>${delivery.status}</dd>
          ${
            others.length > 0 &&
            html`<dt>Also came as</dt>
              <dd>
                ${others.map(({ number, receivedAt }) => html`<a href="/deliveries/${number}">#${number} ${moment(receivedAt)}</a> `)}
              </dd>`
          }
        </dl>
      </section>
      <section class="card">
        <h2>Payload</h2>
        <pre tabindex="0">${pretty(delivery.body)}</pre>
      </section>
      <section class="card">
        <h2>Headers</h2>
        <dl class="facts wide pad">
          ${Object.entries(delivery.headers).map(
            ([name, value]) =>
              html`<dt>${name}</dt>
                <dd>${value}</dd>`,
          )}
        </dl>
      </section>`,
  });
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
