import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { streamFeed } from "../page/live.ts";
import { headerLists } from "./headers.ts";
import { latestMail, listMails, mailFeed } from "./listing.ts";
import type { MessagesSummary } from "./mailpit.ts";
import type { Part } from "./parse.ts";
import type { MailReader } from "./reader.ts";
import { KEEP_MAILS, type MailStore, type StoredMail } from "./store.ts";

/** Mails in an answer to a request without a number, as in Mailpit. */
const LIMIT_DEFAULT = 50;

const range = z.object({
  start: z.coerce.number().int().min(0).catch(0),
  limit: z.coerce.number().int().min(0).max(KEEP_MAILS).catch(LIMIT_DEFAULT),
  query: z.string().trim().catch(""),
});
const removal = z.object({ IDs: z.array(z.string()).default([]) });

/** Adds the subset of Mailpit's API v1 that README.md lists, and `GET /api/events`. */
export function addApi(server: FastifyInstance, store: MailStore, reader: MailReader): void {
  takeJson(server);
  const list = async (wanted: z.infer<typeof range>): Promise<MessagesSummary> => {
    const { summaries, matching, unread } = await listMails(store, reader, wanted);
    const mails = store.mails();
    return {
      total: mails.length,
      unread: mails.filter(({ id }) => !reader.isRead(id)).length,
      count: summaries.length,
      messages_count: matching,
      messages_unread: unread,
      start: wanted.start,
      tags: [],
      messages: summaries,
    };
  };
  server.get("/api/v1/messages", ({ query }) => list({ ...range.parse(query), query: "" }));
  server.get("/api/v1/search", async ({ query }, reply) => {
    const wanted = range.parse(query);
    return wanted.query === "" ? reply.code(400).send({ Error: "no search query" }) : list(wanted);
  });
  server.delete("/api/v1/messages", (request, reply) => {
    const body = removal.safeParse(request.body ?? {});
    // Mailpit takes a body it cannot read for "delete everything"; here only no body, or no IDs in it, means that.
    if (!body.success) return reply.code(400).send({ Error: "IDs must be a list of texts" });
    store.remove(body.data.IDs.length > 0 ? body.data.IDs : store.mails().map(({ id }) => id));
    return reply.type("text/plain").send("ok");
  });
  server.get("/api/events", (request, reply) =>
    streamFeed(request, reply, mailFeed(store), {
      cursorOf: ({ id }) => id,
      tell: async (mail) => [{ event: "new", data: JSON.stringify(await reader.summary(mail)) }],
    }),
  );
  addMessageRoutes(server, store, reader);
}

/** Parses every body as JSON, as Mailpit does, and an empty one as none. */
function takeJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, async (_: FastifyRequest, body: string) => {
    try {
      return body.trim() === "" ? undefined : (JSON.parse(body) as unknown);
    } catch {
      throw Object.assign(new Error("The body is not JSON"), { statusCode: 400 });
    }
  });
}

function addMessageRoutes(server: FastifyInstance, store: MailStore, reader: MailReader): void {
  type Answer = (mail: StoredMail, reply: FastifyReply, request: FastifyRequest) => Promise<unknown>;
  const onMail = (path: string, answer: Answer): void => {
    server.get(`/api/v1/message/:id${path}`, async (request, reply) => {
      const { id } = request.params as { id: string };
      const mail = id === "latest" ? await latestMail(store, reader, range.parse(request.query).query) : store.find(id);
      return mail === undefined ? notFound(reply) : answer(mail, reply, request);
    });
  };
  onMail("", async (mail) => {
    const { message } = await reader.parsed(mail);
    reader.markRead(mail);
    return message;
  });
  onMail("/headers", async (mail) => headerLists(await store.raw(mail)));
  onMail("/raw", async (mail, reply, request) => {
    if ((request.query as { dl?: string }).dl === "1")
      reply.header("content-disposition", `attachment; filename="${mail.id}.eml"`);
    return reply.type("text/plain; charset=utf-8").send(await store.raw(mail));
  });
  onMail("/part/:part", async (mail, reply, request) => {
    const { part: wanted } = request.params as { part: string };
    const part = (await reader.parsed(mail)).parts.find(({ PartID }) => PartID === wanted);
    return part === undefined ? notFound(reply) : sendPart(reply, part);
  });
}

/** Types that a browser may show; none of them can hold a script. */
const SHOWN_TYPES: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/avif",
  "text/plain",
]);
/** Types that browsers run scripts of. They are sent as bytes, as Mailpit does. */
const RISKY_TYPE = /html|xml|svg|script/i;

/**
 * Answers with a part. A part is a stranger's file: its name and type are restricted, and it has no rights where it is
 * opened.
 */
function sendPart(reply: FastifyReply, part: Part): FastifyReply {
  const plain = /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(part.ContentType) && !RISKY_TYPE.test(part.ContentType);
  const type = plain ? part.ContentType : "application/octet-stream";
  // RFC 8187: encodeURIComponent leaves some characters that may not stand there.
  const name = encodeURIComponent(part.FileName.toWellFormed() || `part-${part.PartID}`).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return reply
    .header("content-security-policy", "sandbox; default-src 'none'")
    .header("content-disposition", `${SHOWN_TYPES.has(type) ? "inline" : "attachment"}; filename*=UTF-8''${name}`)
    .type(type)
    .send(part.content);
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).type("text/plain").send("404 page not found");
}
