import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

/**
 * Milliseconds in which something is said on a connection, and something of what is asked is answered, or it is given up:
 * its other end may be gone without a word. More than a broker may take for an answer, less than kafkajs waits for one; to
 * connect again after a quiet time costs little.
 */
export const SILENCE = 25_000;

/** Where to connect, as kafkajs asks for it. */
interface Wanted {
  readonly host: string;
  readonly port: number;
  readonly ssl?: ConnectionOptions | boolean | null;
  readonly onConnect: () => void;
}

/**
 * A connection that hands over whole answers only: kafkajs keeps half of one beyond the end of its connection, and would
 * read all that comes on the next one from the middle. And one that ends when nothing is said on it, or answered: kafkajs
 * would go on asking on it for as long as TCP lets it.
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
 * Ends it when nothing is said on it, or nothing answered. The socket's own limit begins anew with each thing that is asked:
 * by itself it would let those who ask again and again keep open what nobody answers on.
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
  // Kafkajs listens for that event, too, and fails what was asked; of a socket that is destroyed it hears nothing else. An
  // end that came later would strike the connection after this one.
  socket.setTimeout(SILENCE, () => socket.destroy());
  socket.on("data", answered).on("close", answered);
};

/** Bytes of an answer that say how many follow. */
const LENGTH = 4;

/** Hands on what has come up to where an answer ends. */
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
