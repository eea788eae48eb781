import type { Processor } from "../domain/effect.ts";
import { Poison } from "../platform/contract/failure.ts";
import { MAX_ID_LENGTH } from "../platform/contract/identity.ts";
import { type EventId } from "../domain/ids.ts";
import { type Keyed, nothing } from "../platform/contract/processor.ts";
import type { NotificationEvent } from "../domain/records.ts";
import { bodyOf, type WebhookType, webhookTypes } from "./body.ts";

/** Identity: the queue of deliveries and its stream in the outbox. */
export const QUEUE = "webhooks";

/** `ep_…`, or `epc_…` for one that the configuration names. */
export type EndpointId = string & { readonly concept?: "endpoint" };

/** An endpoint as far as it decides who is told what. */
export interface Subscriber {
  readonly id: EndpointId;
  readonly url: string;
  /** The types it wants; null: all there are and will be. */
  readonly types: readonly WebhookType[] | null;
}

/** The job of a delivery: made once, the same at each attempt. Where to and by which secret is looked up each time. */
export interface Delivery {
  readonly endpointId: EndpointId;
  /** Goes out as webhook-id: subscribers tell repeats by it. */
  readonly eventId: EventId;
  readonly type: WebhookType;
  /** The exact text that is signed and posted, in UTF-8. */
  readonly body: string;
}

/** Identity of a delivery: published twice, an event reaches an endpoint's queue once. */
export const deliveryId = (event: EventId, endpoint: EndpointId): string => `${event}/${endpoint}`;

/** Something happened to a notification of the user `key`. */
export interface Told extends Keyed {
  readonly event: NotificationEvent;
}

/** An id that a header takes and that leaves the signature's `id.timestamp.body` unambiguous (Standard Webhooks 1.0). */
const HEADER_SAFE = /^[\x21-\x2d\x2f-\x7e]+$/;

const checked = (event: NotificationEvent): NotificationEvent => {
  if (event.id.length > MAX_ID_LENGTH || !HEADER_SAFE.test(event.id))
    throw new Poison(`the event's id ${JSON.stringify(event.id.slice(0, 100))} can't be a webhook-id`);
  return event;
};

/** Turns each event into one delivery for every endpoint that wants its type. Keeps no rows. */
export const webhooks: Processor<never, Told, readonly Subscriber[]> = {
  name: "webhooks",
  inputs: ["notifications"],
  home: "notifications",
  strays: null,
  order: "arrival",
  upstream: [],
  isStateless: true,
  read: (record) =>
    record.topic === "notifications" && record.value !== null
      ? [{ key: record.key, at: record.at, loggedAt: record.loggedAt, event: checked(record.value) }]
      : [],
  rows: () => [],
  fold(told, _rows, subscribers) {
    if (!("event" in told)) return nothing;
    const { event, at } = told;
    const type = webhookTypes[event.type];
    const wanting = subscribers.filter(({ types }) => types === null || types.includes(type));
    if (wanting.length === 0) return nothing;
    const body = bodyOf(event);
    const effects = wanting.map(({ id: endpointId }) => ({
      ...({ type: "enqueue", queue: QUEUE, id: deliveryId(event.id, endpointId), runAt: at } as const),
      payload: { endpointId, eventId: event.id, type, body } satisfies Delivery,
    }));
    return { writes: [], effects };
  },
  wake: () => null,
};
