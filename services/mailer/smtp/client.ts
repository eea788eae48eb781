import { createTransport } from "nodemailer";
import { Transform } from "node:stream";
import type { EnsureLeased } from "../../platform/contract/work.ts";
import { MINUTE, SECOND } from "../../platform/contract/time.ts";
import { addressProblem } from "./address.ts";
import type { Answer } from "./reply.ts";
import type { Mail } from "../content/mail.ts";
import { queueId, refusedAnswer, type SmtpError } from "./errors.ts";
import type { Smtp } from "./url.ts";

/** Hands mail to the next server. */
export interface MailClient extends AsyncDisposable {
  /**
   * Hands one mail over, once: exactly one recipient, no second try here. Every answer of the server, and none, is a value.
   * Throws only for a fault of ours, and what `ensureLeased` throws, which is asked before the final dot. An abort gives up
   * where it is.
   */
  send(mail: Mail, signal: AbortSignal, ensureLeased?: EnsureLeased): Promise<Answer>;
}

/** How long to wait, in milliseconds. */
export interface Timeouts {
  /** For the connection, TLS included. */
  readonly connect: number;
  readonly greeting: number;
  /** For any reply: what RFC 5321, section 4.5.3.2.6, asks for after the final dot, since giving up there means a repeat. */
  readonly reply: number;
  /** For all of it. */
  readonly attempt: number;
}

export const smtpTimeouts: Timeouts = {
  connect: 30 * SECOND,
  greeting: MINUTE,
  reply: 10 * MINUTE,
  attempt: 12 * MINUTE,
};

/** Mails by one connection before another is opened. */
const MAX_MAILS = 100;
/** Octets of a mail that are written at once, about. */
const PIECE = 16 * 1024;
/** Octets of one reply. */
const MAX_REPLY = 64 * 1024;

export interface MailClientOptions {
  readonly smtp: Smtp;
  /** Connections at once. */
  readonly maxConnections: number;
  /** MAIL FROM: where bounces go. */
  readonly bounces: string;
  /** Name in EHLO, where the SMTP_URL has none. */
  readonly name: string;
  readonly waits?: Timeouts;
}

/** Opens a pool of connections, the first when there is a mail. The only file that imports nodemailer. */
export const openMailClient = ({
  smtp,
  maxConnections,
  bounces,
  name,
  waits: patience = smtpTimeouts,
}: MailClientOptions): MailClient => {
  const transport = createTransport({
    pool: true,
    host: smtp.host,
    port: smtp.port,
    secure: smtp.secure,
    requireTLS: smtp.requireTLS,
    ignoreTLS: smtp.ignoreTLS,
    name: smtp.name ?? name,
    tls: { rejectUnauthorized: smtp.verified },
    ...(smtp.auth === null ? {} : { auth: { user: smtp.auth.user, pass: smtp.auth.pass } }),
    maxConnections,
    maxMessages: MAX_MAILS,
    maxResponseSize: MAX_REPLY,
    maxRequeues: 0, // whether and when to try again is for the queue to say
    connectionTimeout: patience.connect,
    greetingTimeout: patience.greeting,
    socketTimeout: patience.reply,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // Mails whose last octet was read for sending, the final dot next to come.
  const handedOver = new WeakSet<object>();
  const leases = new WeakMap<object, EnsureLeased>();
  transport.use("stream", (mail, done) => {
    const headers = mail.data.headers as object;
    mail.message.processFunc((content) =>
      content.pipe(
        gathering(() => {
          leases.get(headers)?.();
          handedOver.add(headers);
        }),
      ),
    );
    done();
  });

  return {
    async send(mail, signal, ensureLeased = () => undefined) {
      // nodemailer would read another address out of it, or more than one.
      const problem = addressProblem(mail.to.address);
      if (problem !== null)
        throw new Error(`${JSON.stringify(mail.to.address)} is not fit for an envelope: ${problem}`);
      const limited = AbortSignal.any([signal, AbortSignal.timeout(patience.attempt)]);
      const headers = { ...mail.headers };
      leases.set(headers, ensureLeased);
      try {
        const { response } = await transport.sendMail({ ...contentOf(mail, bounces), headers, signal: limited });
        return { kind: "accepted", response, queueId: queueId(response) };
      } catch (error) {
        return refusedAnswer(error as SmtpError, handedOver.has(headers));
      }
    },
    async [Symbol.asyncDispose]() {
      transport.close();
    },
  };
};

/**
 * nodemailer brings a mail in bits, each of which would be a packet of its own.
 * @param beforeLast called before the last piece; what it throws ends the mail there
 */
const gathering = (beforeLast: () => void): Transform => {
  let bits: Buffer[] = [];
  let size = 0;
  return new Transform({
    transform(bit: Buffer, _encoding, done) {
      bits.push(bit);
      size += bit.length;
      if (size < PIECE) return done();
      const piece = Buffer.concat(bits);
      [bits, size] = [[], 0];
      done(null, piece);
    },
    flush(done) {
      try {
        beforeLast();
        done(null, Buffer.concat(bits));
      } catch (error) {
        done(error as Error);
      }
    },
  });
};

const contentOf = (mail: Mail, bounces: string) => ({
  envelope: { from: bounces, to: [mail.to.address] },
  from: { ...mail.from },
  to: { ...mail.to },
  subject: mail.subject,
  text: mail.text,
  html: mail.html,
  messageId: mail.messageId,
  inReplyTo: mail.thread,
  references: mail.thread,
  date: new Date(mail.date),
  baseBoundary: mail.messageId.replace(/[^a-z0-9]/gi, "").slice(0, 32),
});
