import { conversationsService } from "./conversations/service.ts";
import { inboxesService } from "./inboxes/service.ts";
import { mailer } from "./mailer/service.ts";
import type { Service } from "./platform/app/service.ts";
import { webhooks } from "./webhooks/service.ts";

/** Every service, for one process on a laptop, and for the reference of their settings. */
export const all: readonly Service[] = [conversationsService, inboxesService, mailer, webhooks] as never;
