import { serve } from "../runtime/serve.ts";
import { webhooks } from "./service.ts";

await serve([webhooks]);
