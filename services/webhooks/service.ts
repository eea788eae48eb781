import { Fatal } from "../platform/contract/failure.ts";
import { service } from "../platform/app/service.ts";
import { networks, type Networks, urlProblem } from "./call/networks.ts";
import { forgetAttempts, recordAttempt } from "./attempts.ts";
import { caller } from "./call/client.ts";
import { variables } from "./config.ts";
import { webhooks } from "./rule.ts";
import { directory } from "./endpoints/directory.ts";
import type { Endpoint } from "./endpoints/table.ts";
import { addRoutes } from "./endpoints/routes.ts";
import { deliveries } from "./work.ts";

/** Posts every event about a notification to the endpoints that want it. */
export const webhooksService = service({
  name: "webhooks",
  variables,
  start(root, settings) {
    const { database, clock } = root;
    const allowed = networks(settings.WEBHOOK_ALLOWED_NETWORKS);
    checkUrls(settings.WEBHOOK_ENDPOINTS, allowed);
    const endpoints = directory(database, settings.WEBHOOK_ENDPOINTS, clock);
    const calls = caller(allowed);
    root.own(calls);
    root.process(webhooks, () => endpoints.enabled());
    const record = recordAttempt.bind(null, database);
    const forget = forgetAttempts.bind(null, database);
    const deps = { directory: endpoints, caller: calls, record, forget, clock, chance: Math.random };
    root.work(deliveries(deps, settings.WEBHOOK_CONCURRENCY));
    const gate = { token: settings.WEBHOOKS_ADMIN_TOKEN, open: settings.WEBHOOKS_OPEN };
    addRoutes(root.http, { database, directory: endpoints, allowed, gate });
  },
});

/** Throws Fatal at the start for a URL that every call would refuse. */
const checkUrls = (configured: readonly Endpoint[], allowed: Networks): void => {
  for (const { url } of configured) {
    const wrong = urlProblem(url, allowed);
    if (wrong !== null) throw new Fatal(`the configuration is wrong:\n  WEBHOOK_ENDPOINTS: ${hostOf(url)} ${wrong}`);
  }
};

/** Names a URL by its host alone: its path may hold a secret. */
const hostOf = (url: string): string => URL.parse(url)?.host || "a URL";
