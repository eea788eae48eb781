import { connect } from "node:net";

const ANSWER_MS = 2_000;
const CORRELATION = 1;
const API = { apiVersions: 18, findCoordinator: 10, describeGroups: 15 } as const;
/** Any group will do: a question about one makes the broker create and load its offsets topic. */
const GROUP = string("whileaway-local-stack");

/** Tells whether a broker answers. ApiVersions is the first request of every client. */
export async function speaksKafka(port: number, host = "127.0.0.1"): Promise<boolean> {
  const answer = await ask(port, host, API.apiVersions, Buffer.alloc(0));
  return answer?.readInt16BE(0) === 0;
}

/**
 * Tells whether consumer groups can be joined. A new broker makes their topic at the first request for one. Until it has,
 * kafkajs logs a crash and restarts its consumer.
 */
export async function servesGroups(port: number, host = "127.0.0.1"): Promise<boolean> {
  const found = await ask(port, host, API.findCoordinator, GROUP);
  if (found?.readInt16BE(0) !== 0) return false;
  const described = await ask(port, host, API.describeGroups, Buffer.concat([Buffer.from([0, 0, 0, 1]), GROUP]));
  return described?.readInt16BE(4) === 0;
}

/** The id of the node that coordinates a group; undefined while none does. */
export async function coordinatorOf(group: string, port: number, host = "127.0.0.1"): Promise<number | undefined> {
  const found = await ask(port, host, API.findCoordinator, string(group));
  return found?.readInt16BE(0) === 0 ? found.readInt32BE(2) : undefined;
}

/**
 * Sends one request of Kafka's protocol in its version 0; returns the body of the answer, or undefined when there is
 * none.
 */
function ask(port: number, host: string, api: number, body: Buffer): Promise<Buffer | undefined> {
  const header = Buffer.alloc(14);
  header.writeInt32BE(10 + body.length, 0);
  header.writeInt16BE(api, 4);
  header.writeInt32BE(CORRELATION, 8);
  header.writeInt16BE(-1, 12); // no client id
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: ANSWER_MS }, () => socket.write(Buffer.concat([header, body])));
    let received = Buffer.alloc(0);
    const done = (answer: Buffer | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("error", () => done(undefined)).once("timeout", () => done(undefined));
    socket.once("close", () => done(undefined));
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      if (received.length < 10 || received.length < 4 + received.readInt32BE(0)) return;
      done(received.readInt32BE(4) === CORRELATION ? received.subarray(8) : undefined);
    });
  });
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}
