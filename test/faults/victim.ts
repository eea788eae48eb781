import { product } from "../../services/domain/topics.ts";
import { all } from "../../services/all.ts";
import { armFailpoints } from "../../services/platform/runtime/failpoints.ts";
import { serve } from "../../services/platform/app/serve.ts";
import { obey } from "./orders.ts";

/**
 * Runs all services in one process, or the one that SERVICE names. STRIKE names a failpoint, its owner, a count and a
 * signal: the process sends itself the signal when it passes that failpoint for the counted time.
 */
const [point, who, times, signal] = (process.env["STRIKE"] ?? "").split(" ");
let left = Number(times);
armFailpoints((passed, by) => {
  if (passed === point && by === who && --left === 0) process.kill(process.pid, signal);
});
obey();

const only = process.env["SERVICE"];
await serve(
  product,
  all.filter(({ name }) => only === undefined || name === only),
);
