import { serve } from "../runtime/serve.ts";
import { inboxesService } from "./service.ts";

await serve([inboxesService]);
