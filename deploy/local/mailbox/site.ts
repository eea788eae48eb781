import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { render } from "../page/html.ts";
import { streamFeed } from "../page/live.ts";
import { listMails, mailFeed } from "./listing.ts";
import { listPage, mailRow, type Filter } from "./list-page.ts";
import { mailPage, SHOWS } from "./mail-page.ts";
import type { MailReader } from "./reader.ts";
import { readQuery } from "./search.ts";
import type { MailStore } from "./store.ts";

const MAILS_PER_PAGE = 50;
/** Recipients offered for the filter, the latest first. */
const RECIPIENTS_OFFERED = 100;
/** Mails looked through for them. */
const RECIPIENTS_FROM_MAILS = 1_000;
/** A page further behind than this many mails loads anew. */
const RELOAD_BEHIND = 200;

const filter = z.object({ to: z.string().trim().max(320).catch(""), query: z.string().trim().max(500).catch("") });
const listQuery = filter.extend({ start: z.coerce.number().int().min(0).catch(0) });
const mailQuery = z.object({
  show: z.enum(SHOWS).optional().catch(undefined),
  remote: z.literal("1").optional().catch(undefined),
});

/** Adds the pages for people: the list, a mail, and the stream that keeps the list current. */
export function addSite(server: FastifyInstance, store: MailStore, reader: MailReader): void {
  server.get("/", async (request, reply) => {
    const { start, ...asked } = listQuery.parse(request.query);
    const since = mailFeed(store).newest();
    const found = await listMails(store, reader, { query: queryOf(asked), start, limit: MAILS_PER_PAGE });
    const page = { ...found, start, perPage: MAILS_PER_PAGE, filter: asked, recipients: recipients(store), since };
    return reply.type("text/html; charset=utf-8").send(listPage(page));
  });
  server.get("/live", (request, reply) => {
    const matches = readQuery(queryOf(filter.parse(request.query)));
    return streamFeed(request, reply, mailFeed(store), {
      cursorOf: ({ id }) => id,
      reloadBehind: RELOAD_BEHIND,
      tell: async (mail) => {
        if (!matches(await reader.searchable(mail), reader.isRead(mail.id))) return [];
        return [{ event: "row", data: render(mailRow(await reader.summary(mail))) }];
      },
    });
  });
  server.get("/mail/:id", async (request, reply) => {
    const mails = store.mails();
    const at = mails.findIndex(({ id }) => id === (request.params as { id: string }).id);
    const mail = mails[at];
    if (mail === undefined) return reply.code(404).type("text/plain").send("No such mail: it may have been deleted.\n");
    const { show, remote } = mailQuery.parse(request.query);
    const parsed = await reader.parsed(mail);
    reader.markRead(mail);
    const best = parsed.message.HTML !== "" ? "html" : parsed.problem === undefined ? "text" : "source";
    const page = mailPage({
      mail,
      parsed,
      raw: await store.raw(mail),
      show: show === "html" ? best : (show ?? best),
      remotePictures: remote !== undefined,
      newer: mails[at + 1]?.id,
      older: mails[at - 1]?.id,
    });
    return reply.type("text/html; charset=utf-8").send(page);
  });
}

/** The form's two fields as one query. An address is taken literally, but for quotes. */
function queryOf({ to, query }: Filter): string {
  return to === "" ? query : `to:"${to.replaceAll('"', "")}" ${query}`;
}

function recipients(store: MailStore): string[] {
  const latest = store.mails().slice(-RECIPIENTS_FROM_MAILS).toReversed();
  return [...new Set(latest.flatMap(({ to }) => to))].slice(0, RECIPIENTS_OFFERED);
}
