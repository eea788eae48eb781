import { serve } from "../platform/app/serve.ts";
import { inboxesService } from "./service.ts";

await serve([inboxesService]);
