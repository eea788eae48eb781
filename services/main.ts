import { all } from "./all.ts";
import { serve } from "./platform/app/serve.ts";

await serve(all);
