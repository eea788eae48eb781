import { createTransport } from "nodemailer";
import { Transform } from "node:stream";
import type { EnsureLeased } from "../../platform/contract/work.ts";
import { MINUTE, SECOND } from "../../platform/contract/time.ts";
import { addressProblem } from "./address.ts";
import type { Answer } from "./reply.ts";
import type { Mail } from "../content/mail.ts";
import { queueId, refusedAnswer, type SmtpError } from "./errors.ts";
import type { Smtp } from "./url.ts";

/** A client of the mail server. */
export interface MailClient extends AsyncDisposable {
  /**
   * Sends one mail once, to one recipient, without a second try. Every answer of the server is a value, and so is a missing
   * answer. Throws only for a fault of ours, or the error of `ensureLeased`, which is called before the final dot. An abort
   * ends the attempt at once.
   */
  send(mail: Mail, signal: AbortSignal, ensureLeased?: EnsureLeased): Promise<Answer>;
}

/** Limits of one attempt, in milliseconds. */
export interface Timeouts {
  /** Limit for the connection, including TLS. */
  readonly connect: number;
  readonly greeting: number;
  /** Limit for any reply. RFC 5321, section 4.5.3.2.6, sets it for the final dot, because giving up there means a repeat. */
  readonly reply: number;
  /** Limit for the whole attempt. */
  readonly attempt: number;
}

export const smtpTimeouts: Timeouts = {
  connect: 30 * SECOND,
  greeting: MINUTE,
  reply: 10 * MINUTE,
  attempt: 12 * MINUTE,
};

/** Mails sent over one connection before another is opened. */
const MAX_MAILS = 100;
/** Octets of a mail that are written at once, approximately. */
const PIECE = 16 * 1024;
/** Maximum length of one reply, in octets. */
const MAX_REPLY = 64 * 1024;

export interface MailClientOptions {
  readonly smtp: Smtp;
  /** Maximum number of open connections. */
  readonly maxConnections: number;
  /** Address in MAIL FROM: bounces go to it. */
  readonly bounces: string;
  /** Name in EHLO where the SMTP_URL has none. */
  readonly name: string;
  readonly timeouts?: Timeouts;
}

/** Opens a pool of connections; the first connection opens with the first mail. Only this file imports nodemailer. */
export const openMailClient = (options: MailClientOptions): MailClient => {
  const { bounces, timeouts = smtpTimeouts } = options;
  const transport = createTransport(transportOptions({ ...options, timeouts }));
  const handover = watchHandover(transport);
  return {
    async send(mail, signal, ensureLeased = () => undefined) {
      // nodemailer would read another address out of an invalid one, or more than one address.
      const problem = addressProblem(mail.to.address);
      if (problem !== null)
        throw new Error(`${JSON.stringify(mail.to.address)} is not fit for an envelope: ${problem}`);
      const limited = AbortSignal.any([signal, AbortSignal.timeout(timeouts.attempt)]);
      const headers = { ...mail.headers };
      handover.leases.set(headers, ensureLeased);
      try {
        const { response } = await transport.sendMail({ ...contentOf(mail, bounces), headers, signal: limited });
        return { kind: "accepted", response, queueId: queueId(response) };
      } catch (error) {
        return refusedAnswer(error as SmtpError, handover.reached.has(headers));
      }
    },
    async [Symbol.asyncDispose]() {
      transport.close();
    },
  };
};

const transportOptions = ({ smtp, maxConnections, name, timeouts }: Required<MailClientOptions>) =>
  ({
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
    maxRequeues: 0, // the mail queue alone decides when to try again
    connectionTimeout: timeouts.connect,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.reply,
    disableFileAccess: true,
    disableUrlAccess: true,
  }) as const;

/** Attempts by the header object of their mails. */
interface Handover {
  /** Called right before the last octet of a mail is sent. */
  readonly leases: WeakMap<object, EnsureLeased>;
  /** Mails of which every octet but the final dot was handed over. */
  readonly reached: WeakSet<object>;
}

/** Checks the lease of each mail before its last octet, and notes the mails that got that far. */
const watchHandover = (transport: Pick<ReturnType<typeof createTransport>, "use">): Handover => {
  const leases = new WeakMap<object, EnsureLeased>();
  const reached = new WeakSet<object>();
  transport.use("stream", (mail, done) => {
    const headers = mail.data.headers as object;
    mail.message.processFunc((content) =>
      content.pipe(
        gathering(() => {
          leases.get(headers)?.();
          reached.add(headers);
        }),
      ),
    );
    done();
  });
  return { leases, reached };
};

/**
 * Gathers the small chunks that nodemailer writes into larger pieces: each chunk would be a packet of its own.
 * @param beforeLast called before the last piece; an error that it throws ends the mail there
 */
const gathering = (beforeLast: () => void): Transform => {
  let chunks: Buffer[] = [];
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      size += chunk.length;
      if (size < PIECE) return done();
      const piece = Buffer.concat(chunks);
      [chunks, size] = [[], 0];
      done(null, piece);
    },
    flush(done) {
      try {
        beforeLast();
        done(null, Buffer.concat(chunks));
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
