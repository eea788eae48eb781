import { all } from "./all.ts";
import { product } from "./domain/topics.ts";
import { serve } from "./platform/app/serve.ts";

await serve(product, all);
