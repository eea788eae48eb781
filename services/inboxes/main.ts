import { product } from "../domain/topics.ts";
import { serve } from "../platform/app/serve.ts";
import { inboxesService } from "./service.ts";

await serve(product, [inboxesService]);
