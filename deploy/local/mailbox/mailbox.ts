import { createPageServer, listen, LOOPBACK } from "../page/server.ts";
import { addApi } from "./api.ts";
import type { Message } from "./mailpit.ts";
import { createMailReader } from "./reader.ts";
import { addSite } from "./site.ts";
import { startSmtpSink } from "./smtp.ts";
import { openMailStore, type StoredMail } from "./store.ts";
import { addViews } from "./view.ts";

/** The largest request of the API: a list of every mail's id. */
const BODY_LIMIT_BYTES = 256 * 1024;

/** The local stack's mail sink: every mail sent to `smtp` is kept and shown at `page`. No mail leaves the machine. */
export interface Mailbox extends AsyncDisposable {
  /** `smtp://127.0.0.1:PORT` */
  readonly smtp: string;
  /** `http://127.0.0.1:PORT`, the page and Mailpit's API. */
  readonly page: string;
  /** The mails kept now, oldest first. */
  readonly mails: () => readonly StoredMail[];
  /** Tells each mail once it is on disk, a moment before its sender hears 250. */
  readonly onMail: (listener: (mail: StoredMail) => void) => () => void;
  /** A parsed mail; undefined if it is not kept, or no longer. */
  readonly read: (id: string) => Promise<Message | undefined>;
  /** A mail's bytes as they were sent. */
  readonly raw: (id: string) => Promise<Buffer | undefined>;
}

/** The folder and the limits of a mailbox. */
export interface MailboxOptions {
  /** The folder of its mails; a mailbox started there again has them again. */
  readonly dir: string;
  /** 0: a free one. */
  readonly smtpPort: number;
  /** 0: a free one. */
  readonly httpPort: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  readonly keepMails?: number;
}

/** Starts a mailbox; it listens on loopback only. */
export async function startMailbox(options: MailboxOptions): Promise<Mailbox> {
  const { dir, smtpPort, httpPort, now = Date.now, keepMails } = options;
  const store = await openMailStore({ dir, ...(keepMails !== undefined && { keepMails }) });
  const reader = createMailReader(store);
  await using parts = new AsyncDisposableStack();
  const sink = parts.use(await startSmtpSink({ host: LOOPBACK, port: smtpPort, store, now }));
  const server = await createPageServer(BODY_LIMIT_BYTES);
  parts.defer(() => server.close());
  addApi(server, store, reader);
  addViews(server, store, reader);
  addSite(server, store, reader);
  const page = await listen(server, httpPort);
  const running = parts.move();
  return {
    smtp: `smtp://${LOOPBACK}:${sink.port}`,
    page,
    mails: store.mails,
    onMail: store.onMail,
    async read(id) {
      const mail = store.find(id);
      return mail === undefined ? undefined : (await reader.parsed(mail)).message;
    },
    async raw(id) {
      const mail = store.find(id);
      return mail === undefined ? undefined : store.raw(mail);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
