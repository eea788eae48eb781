// A mailbox in a folder of its own, and clients of it, for the mailbox's tests.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport, type SendMailOptions, type SentMessageInfo } from "nodemailer";
import { startMailbox, type Mailbox, type MailboxOptions } from "./mailbox.ts";

/** A mailbox for one test. */
export interface TestMailbox extends AsyncDisposable {
  readonly box: Mailbox;
  readonly dir: string;
  /** Sends by nodemailer; rejects as it does. */
  readonly send: (mail: SendMailOptions) => Promise<SentMessageInfo>;
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
  readonly json: (path: string) => Promise<any>;
}

/** Starts a mailbox on free ports. Unless a folder is given, it makes one and removes it after the test. */
export async function testMailbox(options: Partial<MailboxOptions> = {}): Promise<TestMailbox> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "mailbox-")));
  const box = await startMailbox({ smtpPort: 0, httpPort: 0, ...options, dir });
  const transport = createTransport({ host: "127.0.0.1", port: portOf(box), secure: false, ignoreTLS: true });
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(box.page + path, init);
  return {
    box,
    dir,
    send: (mail) => transport.sendMail({ from: "chat@example.com", to: "ada@example.com", ...mail }),
    get,
    json: async (path) => (await get(path)).json(),
    async [Symbol.asyncDispose]() {
      transport.close();
      await box[Symbol.asyncDispose]();
      if (options.dir === undefined) await rm(dir, { recursive: true });
    },
  };
}

/** The port of a mailbox's SMTP. */
export function portOf(box: Mailbox): number {
  return Number(new URL(box.smtp).port);
}

/** Speaks SMTP line by line, and returns all answers; "" for a line means to wait for the answer only. */
export async function converse(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let heard = "";
  socket.setEncoding("utf8").on("data", (text: string) => (heard += text));
  const closed = once(socket, "close");
  for (const line of lines) {
    const before = heard.length;
    if (line !== "") socket.write(`${line}\r\n`);
    // An answer ends with a line whose code is followed by a space (RFC 5321, section 4.2).
    while (!/^\d{3} .*\r\n$/m.test(heard.slice(before)))
      if (await Promise.race([closed.then(() => true), once(socket, "data").then(() => false)])) return heard;
  }
  socket.destroy();
  return heard;
}
