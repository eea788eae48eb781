import { all } from "./all.ts";
import { serve } from "./runtime/serve.ts";

await serve(all);
