import { serve } from "../runtime/serve.ts";
import { conversationsService } from "./service.ts";

await serve([conversationsService]);
