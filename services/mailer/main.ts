import { serve } from "../runtime/serve.ts";
import { mailer } from "./service.ts";

await serve([mailer]);
