import { product } from "../domain/topics.ts";
import { serve } from "../platform/app/serve.ts";
import { webhooksService } from "./service.ts";

await serve(product, [webhooksService]);
