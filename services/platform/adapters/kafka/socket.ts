import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

/**
 * Milliseconds without traffic, or without an answer to a request, after which a connection is closed: its other end may
 * have vanished. The limit is above a broker's time for an answer, and below the time that kafkajs waits for one.
 */
export const SILENCE = 25_000;

/** The connection that kafkajs asks for. */
interface Wanted {
  readonly host: string;
  readonly port: number;
  readonly ssl?: ConnectionOptions | boolean | null;
  readonly onConnect: () => void;
}

/**
 * Opens a connection that hands over whole answers only: kafkajs keeps half an answer beyond the end of its connection,
 * and would read the next connection from the middle of an answer. The connection also ends when it is silent: kafkajs
 * would go on asking on it for as long as TCP allows.
 */
export const openSocket = ({ host, port, ssl, onConnect }: Wanted): Socket => {
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? connectTls({ host, port, ...name, ...(ssl === true ? {} : ssl) }, onConnect)
    : connectPlain({ host, port }, onConnect);
  limitSilence(socket);
  const on = socket.on.bind(socket) as (event: string, listener: (piece: Buffer) => void) => Socket;
  socket.on = ((event: string, listener: (piece: Buffer) => void) =>
    on(event, event === "data" ? whole(listener) : listener)) as Socket["on"];
  return socket;
};

/**
 * Ends a connection when it has no traffic, or no answers. The socket's own timeout begins anew with each request, so
 * repeated requests alone would keep a connection open that nobody answers.
 */
const limitSilence = (socket: Socket): void => {
  let unanswered: NodeJS.Timeout | undefined;
  const answered = (): void => {
    clearTimeout(unanswered);
    unanswered = undefined;
  };
  const write = socket.write.bind(socket) as (...asked: unknown[]) => boolean;
  socket.write = (...asked: unknown[]) => {
    unanswered ??= setTimeout(() => socket.emit("timeout"), SILENCE).unref();
    return write(...asked);
  };
  // kafkajs listens for the event `timeout`, too, and fails the requests under way; it hears nothing else of a destroyed
  // socket. Closing the socket later instead would hit the connection after this one.
  socket.setTimeout(SILENCE, () => socket.destroy());
  socket.on("data", answered).on("close", answered);
};

/** Bytes at the start of an answer that hold the length of its rest. */
const LENGTH = 4;

/** Hands on the bytes up to the end of the last complete answer, and keeps the rest. */
export const whole = (hear: (answers: Buffer) => void): ((piece: Buffer) => void) => {
  let pieces: Buffer[] = [];
  let size = 0;
  let needed = LENGTH;
  return (piece) => {
    pieces.push(piece);
    size += piece.length;
    if (size < needed) return;
    const bytes = pieces.length === 1 ? piece : Buffer.concat(pieces, size);
    let end = 0;
    for (;;) {
      needed = size - end < LENGTH ? LENGTH : LENGTH + bytes.readInt32BE(end);
      if (size - end < needed) break;
      end += needed;
    }
    pieces = end === size ? [] : [bytes.subarray(end)];
    size -= end;
    if (end > 0) hear(bytes.subarray(0, end));
  };
};
