import { product } from "../domain/topics.ts";
import { serve } from "../platform/app/serve.ts";
import { mailerService } from "./service.ts";

await serve(product, [mailerService]);
