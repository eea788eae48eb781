import { setTimeout as sleep } from "node:timers/promises";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import { knobOf, type Reply } from "./knobs.ts";
import type { Envelope, MailStore } from "./store.ts";

/** Largest mail taken, in bytes; the SIZE that EHLO announces (RFC 1870). */
export const MAIL_LIMIT_BYTES = 25 * 1024 * 1024;
/** Recipients of one mail (RFC 5321, section 4.5.3.1.8 asks for at least 100). */
export const RECIPIENTS_LIMIT = 100;
/** Connections at a time. */
const CLIENTS_LIMIT = 200;
/** Milliseconds of silence after which a client is disconnected. */
const SILENCE_MS = 60_000;
/** Time that clients in the middle of a mail get when the server stops. */
const CLOSE_GRACE_MS = 500;
/** Addresses whose greylisting is remembered. */
const GREYLIST_LIMIT = 1_000;

/** An SMTP server that stores the mails that it takes. */
export interface SmtpSink extends AsyncDisposable {
  readonly port: number;
}

/**
 * Starts the sink on loopback (port 0: a free one). It speaks SIZE, 8BITMIME, SMTPUTF8 and PIPELINING, takes any name
 * and password, and answers a mail's final dot with 250 only once the mail is on disk.
 */
export async function startSmtpSink(options: {
  readonly host: string;
  readonly port: number;
  readonly store: MailStore;
  readonly now: () => number;
}): Promise<SmtpSink> {
  const greylisted = new Map<string, number>();
  const server = new SMTPServer({
    name: "mailbox.local",
    banner: "Whileaway mailbox: nothing leaves this machine",
    size: MAIL_LIMIT_BYTES,
    maxRecipients: RECIPIENTS_LIMIT,
    maxClients: CLIENTS_LIMIT,
    socketTimeout: SILENCE_MS,
    closeTimeout: CLOSE_GRACE_MS,
    disabledCommands: ["STARTTLS"],
    // Replies here carry their enhanced codes themselves: a knob may name one.
    hideENHANCEDSTATUSCODES: true,
    hideDSN: true,
    disableReverseLookup: true,
    authOptional: true,
    allowInsecureAuth: true,
    logger: false,
    onAuth: (auth, _, done) => done(null, { user: auth.username ?? "anonymous" }),
    onRcptTo: ({ address }, _, done) => void answerRecipient(address, greylisted).then(done),
    onData: (stream, session, done) =>
      void takeMail(options, server, stream, session).then(
        (id) => done(null, `2.0.0 Stored as ${id}`),
        (error: Error) => done(error),
      ),
  });
  // A client that vanishes in mid-conversation does no harm; without a listener its error would end the process.
  server.on("error", () => {});
  const port = await listening(server, options.host, options.port);
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)) };
}

function listening(server: SMTPServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(port, host, () => {
      server.server.off("error", reject);
      const address = server.server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

async function answerRecipient(address: string, greylisted: Map<string, number>): Promise<Error | null> {
  const knob = knobOf(address);
  if (knob?.at === "rcpt") return refusal(knob.reply);
  if (knob?.at === "slow") await sleep(knob.ms, undefined, { ref: false });
  if (knob?.at !== "greylist") return null;
  const refusals = greylisted.get(address) ?? 0;
  if (refusals >= knob.times) return null;
  for (const oldest of greylisted.keys()) if (greylisted.size >= GREYLIST_LIMIT) greylisted.delete(oldest);
  greylisted.set(address, refusals + 1);
  return refusal(knob.reply);
}

async function takeMail(
  { store, now }: { readonly store: MailStore; readonly now: () => number },
  server: SMTPServer,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<string> {
  const envelope = envelopeOf(session, now());
  const knobs = envelope.to.map(knobOf);
  const refused = knobs.find((knob) => knob?.at === "data");
  const cut = knobs.find((knob) => knob?.at === "cut");
  if (refused?.at === "data" || (cut?.at === "cut" && !cut.kept)) {
    for await (const _ of stream as AsyncIterable<Buffer>);
    if (refused?.at === "data") throw refusal(refused.reply);
    return hangUp(server, session);
  }
  const mail = await store.receive(envelope, chunks(stream)).catch((error: Error) => {
    throw stream.sizeExceeded ? error : refusal({ code: 451, text: `4.3.0 Could not be stored: ${error.message}` });
  });
  return cut === undefined ? mail.id : hangUp(server, session);
}

/** The mail as it comes; it fails as soon as it is too large, so that no more of it is written. */
async function* chunks(stream: SMTPServerDataStream): AsyncGenerator<Buffer> {
  let tooLarge = false;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    // The rest must be read all the same: the client hears the answer after its final dot.
    tooLarge ||= stream.sizeExceeded;
    if (!tooLarge) yield chunk;
  }
  if (tooLarge) throw refusal({ code: 552, text: "5.3.4 Message too large" });
}

function envelopeOf({ envelope, user }: SMTPServerSession, receivedAt: number): Envelope {
  return {
    from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
    to: envelope.rcptTo.map(({ address }) => address),
    receivedAt,
    username: typeof user === "string" ? user : "",
  };
}

function refusal({ code, text }: Reply): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

/** Drops the connection without an answer, like a server that crashed between taking a mail and answering. */
function hangUp(server: SMTPServer, session: SMTPServerSession): Promise<never> {
  for (const connection of server.connections) if (connection.session === session) connection._socket.destroy();
  return new Promise(() => {});
}
