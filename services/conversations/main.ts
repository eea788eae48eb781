import { serve } from "../platform/app/serve.ts";
import { conversationsService } from "./service.ts";

await serve([conversationsService]);
