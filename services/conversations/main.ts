import { product } from "../domain/topics.ts";
import { serve } from "../platform/app/serve.ts";
import { conversationsService } from "./service.ts";

await serve(product, [conversationsService]);
