import { conversationsService } from "./conversations/service.ts";
import { inboxesService } from "./inboxes/service.ts";
import { mailerService } from "./mailer/service.ts";
import type { Service } from "./platform/app/service.ts";
import { webhooksService } from "./webhooks/service.ts";

/** Every service, for one process on a laptop, and for the reference of their variables. */
export const all: readonly Service[] = [conversationsService, inboxesService, mailerService, webhooksService];
