import type { Socket } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** A mail that arrived. */
export interface Arrived {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

/** A real SMTP server for specs. */
export interface Receiver extends AsyncDisposable {
  readonly port: number;
  /** Mails accepted so far. */
  readonly arrived: readonly Arrived[];
  /** Number of connections so far. */
  readonly connections: () => number;
  /** Breaks all connections. */
  readonly hangUp: () => void;
}

/** Starts a server on this machine that accepts every mail, unless an option refuses it. */
export const receiver = async (options: SMTPServerOptions = {}): Promise<Receiver> => {
  const arrived: Arrived[] = [];
  const sockets = new Set<Socket>();
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    authOptional: true,
    logger: false,
    closeTimeout: 10,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? "" : mailFrom.address;
        arrived.push({ from, to: rcptTo.map(({ address }) => address), raw: Buffer.concat(chunks).toString() });
        done(null);
      });
    },
    ...options,
  });
  server.on("error", () => undefined);
  server.server.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.server.address();
  const hangUp = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    arrived,
    connections: () => sockets.size,
    hangUp,
    async [Symbol.asyncDispose]() {
      hangUp();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
};
