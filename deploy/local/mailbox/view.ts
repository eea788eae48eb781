import type { FastifyInstance } from "fastify";
import type { ParsedMessage, Part } from "./parse.ts";
import type { MailReader } from "./reader.ts";
import type { MailStore } from "./store.ts";

/**
 * The rights of a mail's own HTML. It is a stranger's page: no script, no form, no frame, an origin of its own, whether
 * it is opened in the mail page's frame or by its address. Pictures come from the mail itself. Other pictures are
 * loaded only on request, for their sender sees each load.
 */
function policy(remotePictures: boolean): string {
  const pictures = remotePictures ? "data: https: http:" : "data:";
  const rules = ["default-src 'none'", `img-src ${pictures}`, "style-src 'unsafe-inline'", "font-src data:"];
  const fences = ["form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'", `sandbox ${VIEW_SANDBOX}`];
  return [...rules, ...fences].join("; ");
}

/** The rights of the frame around a mail: links that open in a tab of their own, and nothing else. */
export const VIEW_SANDBOX = "allow-popups allow-popups-to-escape-sandbox";

/** Adds `/view/{ID}.html` (with `?remote=1`: pictures from elsewhere too) and `/view/{ID}.txt`, as Mailpit has them. */
export function addViews(server: FastifyInstance, store: MailStore, reader: MailReader): void {
  server.get("/view/:file", async (request, reply) => {
    const { file } = request.params as { file: string };
    const { remote } = request.query as { remote?: string };
    const [, id = "", kind] = /^([0-9a-z]+|latest)\.(html|txt)$/.exec(file) ?? [];
    const mail = id === "latest" ? store.mails().at(-1) : store.find(id);
    const parsed = mail === undefined ? undefined : await reader.parsed(mail);
    if (parsed === undefined || (kind === "html" && parsed.message.HTML === ""))
      return reply.code(404).type("text/plain").send("404 page not found");
    if (kind === "txt") return reply.type("text/plain; charset=utf-8").send(parsed.message.Text);
    reply.header("content-security-policy", policy(remote === "1"));
    return reply.type("text/html; charset=utf-8").send(viewOf(parsed));
  });
}

/** The mail's HTML with its own pictures inside, and links that leave the frame. */
function viewOf({ message, parts }: ParsedMessage): string {
  const pictures = new Map(parts.filter(isPicture).map((part) => [part.ContentID.toLowerCase(), part]));
  const body = message.HTML.replace(/cid:([^"'\s)>]{1,500})/gi, (address, cid: string) => {
    const part = pictures.get(decoded(cid).toLowerCase());
    return part === undefined ? address : `data:${part.ContentType};base64,${part.content.toString("base64")}`;
  });
  return `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><base target="_blank">\n${body}`;
}

/** Only a plain picture type may go into a `data:` address: the type comes from the sender. */
function isPicture({ ContentID, ContentType }: Part): boolean {
  return ContentID !== "" && /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/.test(ContentType);
}

function decoded(cid: string): string {
  try {
    return decodeURIComponent(cid);
  } catch {
    return cid;
  }
}
