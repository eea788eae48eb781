import { serve } from "../platform/app/serve.ts";
import { webhooks } from "./service.ts";

await serve([webhooks]);
