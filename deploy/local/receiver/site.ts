import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { render } from "../page/html.ts";
import { streamFeed } from "../page/live.ts";
import { cursorOf, KEEP_DELIVERIES, type Deliveries, type Delivery } from "./deliveries.ts";
import { deliveryPage, deliveryRow, listPage, tiles, type Filter } from "./pages.ts";

const DELIVERIES_PER_PAGE = 50;
/** A page further behind than this many deliveries loads anew. */
const RELOAD_BEHIND = 200;

const word = z.string().trim().max(200).catch("");
const filter = z.object({ name: word, type: word, user: word });
const listQuery = filter.extend({ start: z.coerce.number().int().min(0).catch(0) });
const apiQuery = listQuery.extend({ limit: z.coerce.number().int().min(0).max(KEEP_DELIVERIES).catch(100), id: word });

/** Adds the page, the stream that keeps it current, and the JSON for programs. */
export function addSite(server: FastifyInstance, deliveries: Deliveries): void {
  server.get("/", (request, reply) => {
    const { start, ...asked } = listQuery.parse(request.query);
    const found = deliveries.list().filter(matching(asked));
    const shown = found.slice(start, start + DELIVERIES_PER_PAGE);
    const counts = { matching: found.length, start, perPage: DELIVERIES_PER_PAGE };
    const page = {
      deliveries: shown,
      ...counts,
      filter: asked,
      summary: deliveries.summary(),
      since: deliveries.newest(),
    };
    return reply.type("text/html; charset=utf-8").send(listPage(page));
  });
  server.get("/live", (request, reply) => {
    const matches = matching(filter.parse(request.query));
    return streamFeed(request, reply, deliveries, {
      cursorOf,
      reloadBehind: RELOAD_BEHIND,
      tell: (delivery) => [
        ...(matches(delivery) ? [{ event: "row", data: render(deliveryRow(delivery)) }] : []),
        { event: "part", data: render(tiles(deliveries.summary())) },
      ],
    });
  });
  server.get("/deliveries/:number", (request, reply) => {
    const delivery = deliveries.find(Number((request.params as { number: string }).number));
    if (delivery === undefined)
      return reply.code(404).type("text/plain").send("No such delivery is kept (any more).\n");
    return reply.type("text/html; charset=utf-8").send(deliveryPage(delivery, deliveries.list()));
  });
  server.get("/api/summary", () => deliveries.summary());
  server.get("/api/deliveries", (request) => {
    const { start, limit, id, ...asked } = apiQuery.parse(request.query);
    const found = deliveries
      .list()
      .filter((delivery) => (id === "" || delivery.id === id) && matching(asked)(delivery));
    return { total: found.length, start, deliveries: found.slice(start, start + limit) };
  });
  server.get("/api/events", (request, reply) =>
    streamFeed(request, reply, deliveries, {
      cursorOf,
      tell: (delivery) => [{ event: "delivery", data: JSON.stringify(delivery) }],
    }),
  );
}

function matching(asked: Filter): (delivery: Delivery) => boolean {
  const wanted = (["name", "type", "user"] as const).filter((key) => asked[key] !== "");
  return (delivery) => wanted.every((key) => delivery[key] === asked[key]);
}
