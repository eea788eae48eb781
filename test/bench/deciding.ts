import { product } from "../../services/domain/topics.ts";
import { conversationsService } from "../../services/conversations/service.ts";
import { inboxesService } from "../../services/inboxes/service.ts";
import { serve } from "../../services/platform/app/serve.ts";

/** The services that decide, without those that tell: the subject of the lateness benchmark. */
await serve(product, [conversationsService, inboxesService] as never);
