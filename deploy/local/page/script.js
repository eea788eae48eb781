// Script of the pages: times in the reader's zone, live rows, one dangerous button. The pages are readable without it.
"use strict";

const ROWS_SHOWN = 200; // a page left open for a day must not grow without end

function localTimes(root) {
  const today = new Date().toDateString();
  for (const element of root.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    element.title = at.toISOString();
    element.textContent = at.toDateString() === today ? at.toLocaleTimeString() : at.toLocaleString();
  }
}

function fragment(markup) {
  const template = document.createElement("template");
  template.innerHTML = markup; // the server's own, every value in it escaped; the page's policy allows no inline script
  localTimes(template.content);
  return template.content;
}

function addRow(markup) {
  const rows = document.querySelector("[data-live-rows]");
  if (rows === null) return;
  const row = fragment(markup);
  row.firstElementChild?.classList.add("fresh");
  rows.prepend(row);
  const count = document.querySelector("[data-live-count]");
  if (count !== null) count.textContent = String(Number(count.textContent) + 1);
  while (rows.children.length > ROWS_SHOWN) rows.lastElementChild.remove();
}

function replacePart(markup) {
  const part = fragment(markup);
  const id = part.firstElementChild?.id;
  if (id) document.getElementById(id)?.replaceWith(part);
}

function follow(address) {
  const sign = document.querySelector("[data-live-sign]");
  const say = (state) => {
    if (sign === null || sign.dataset.state === state) return;
    sign.dataset.state = state;
    sign.textContent = state;
  };
  const events = new EventSource(address);
  events.addEventListener("open", () => say("live"));
  events.addEventListener("error", () => say("reconnecting"));
  events.addEventListener("row", (event) => addRow(event.data));
  events.addEventListener("part", (event) => replacePart(event.data));
  events.addEventListener("reload", () => location.reload());
}

async function remove(button) {
  if (!confirm(button.dataset.confirm)) return;
  const answer = await fetch(button.dataset.delete, {
    method: "DELETE",
    ...(button.dataset.body && { body: button.dataset.body, headers: { "content-type": "application/json" } }),
  });
  if (answer.ok) location.assign("/");
}

localTimes(document);
if (document.body.dataset.live) follow(document.body.dataset.live);
for (const button of document.querySelectorAll("button[data-delete]"))
  button.addEventListener("click", () => void remove(button));
