import type { Processor } from "../domain/effect.ts";
import { Poison } from "../platform/contract/failure.ts";
import { MAX_ID_LENGTH } from "../platform/contract/identity.ts";
import { type EventId } from "../domain/ids.ts";
import { type Keyed, nothing } from "../platform/contract/processor.ts";
import type { NotificationEvent } from "../domain/records.ts";
import { bodyOf, type WebhookType, webhookTypes } from "./body.ts";

/** Identity: the queue of deliveries and its stream in the outbox. */
export const QUEUE = "webhooks";

/** Id of an endpoint: `ep_…`, or `epc_…` where the configuration names it. */
export type EndpointId = string & { readonly concept?: "endpoint" };

/** The part of an endpoint that decides on its deliveries. */
export interface Subscriber {
  readonly id: EndpointId;
  readonly url: string;
  /** Types that the endpoint wants; null: all types, later ones too. */
  readonly types: readonly WebhookType[] | null;
}

/** Payload of a delivery's job, the same at each attempt. The URL and the secret are looked up at each attempt. */
export interface Delivery {
  readonly endpointId: EndpointId;
  /** Value of the header webhook-id, by which subscribers detect repeats. */
  readonly eventId: EventId;
  readonly type: WebhookType;
  /** The exact text that is signed and posted in UTF-8. */
  readonly body: string;
}

/** Identity of a delivery: an event that is published twice is queued once for an endpoint. */
export const deliveryId = (event: EventId, endpoint: EndpointId): string => `${event}/${endpoint}`;

/** An event about a notification of the user `key`. */
export interface Told extends Keyed {
  readonly event: NotificationEvent;
}

/** Id that fits a header and has no full stop: the signed text is `id.timestamp.body` (Standard Webhooks 1.0). */
const HEADER_SAFE = /^[\x21-\x2d\x2f-\x7e]+$/;

/** Throws Poison where the event's id can't be a webhook-id. */
const checkId = (event: NotificationEvent): NotificationEvent => {
  if (event.id.length > MAX_ID_LENGTH || !HEADER_SAFE.test(event.id))
    throw new Poison(`the event's id ${JSON.stringify(event.id.slice(0, 100))} can't be a webhook-id`);
  return event;
};

/** Turns each event into a delivery for every endpoint that wants its type. It keeps no rows. */
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
      ? [{ key: record.key, at: record.at, loggedAt: record.loggedAt, event: checkId(record.value) }]
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
