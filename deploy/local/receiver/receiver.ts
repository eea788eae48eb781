import { createPageServer, listen } from "../page/server.ts";
import { createDeliveries, type Delivery, type Summary } from "./deliveries.ts";
import { addHooks, deliveryOf, type SecretFor } from "./hooks.ts";
import { openJsonLog, readJsonLog } from "./log.ts";
import { addSite } from "./site.ts";

/** The largest payload taken, in bytes. */
const BODY_LIMIT_BYTES = 1024 * 1024;

/** The local stack's webhook subscriber: it verifies, keeps and shows webhooks. */
export interface Receiver extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly page: string;
  /** The URL of an endpoint of this name. */
  readonly url: (name: string) => string;
  readonly summary: () => Summary;
  /** The deliveries kept now, newest first. */
  readonly deliveries: () => readonly Delivery[];
  /** Tells that a delivery came; it is the first of `deliveries()`. */
  readonly onDelivery: (listener: () => void) => () => void;
}

/** The folder, the secrets and the limits of a receiver. */
export interface ReceiverOptions {
  /** 0: a free one. */
  readonly httpPort: number;
  /** The folder of its log; a receiver started there again has its latest deliveries again. */
  readonly dir: string;
  readonly secretFor: SecretFor;
  /** Epoch milliseconds; a signature's age is measured by the machine's own clock all the same. */
  readonly now?: () => number;
  readonly keepDeliveries?: number;
}

/** Starts a receiver; it listens on loopback only. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { httpPort, dir, secretFor, now = Date.now, keepDeliveries } = options;
  const deliveries = createDeliveries(keepDeliveries);
  for (const record of await readJsonLog(dir)) {
    const delivery = deliveryOf(record);
    if (delivery !== undefined) deliveries.restore(delivery);
  }
  await using parts = new AsyncDisposableStack();
  const log = parts.use(await openJsonLog(dir));
  const server = await createPageServer(BODY_LIMIT_BYTES);
  parts.defer(() => server.close());
  addHooks(server, { deliveries, log, secretFor, now });
  addSite(server, deliveries);
  const page = await listen(server, httpPort);
  const running = parts.move();
  return {
    page,
    url: (name) => `${page}/hooks/${encodeURIComponent(name)}`,
    summary: deliveries.summary,
    deliveries: deliveries.list,
    onDelivery: deliveries.onGrowth,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
