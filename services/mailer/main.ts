import { serve } from "../platform/app/serve.ts";
import { mailer } from "./service.ts";

await serve([mailer]);
