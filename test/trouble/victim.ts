import { all } from "../../services/all.ts";
import { arm } from "../../services/runtime/points.ts";
import { serve } from "../../services/runtime/serve.ts";

/** All services in one process, which kills itself where STRIKE says: a point, whose it is, and the how-manieth time. */
const [point, who, times] = (process.env["STRIKE"] ?? "").split(" ");
let left = Number(times);
arm((passed, by) => {
  if (passed === point && by === who && --left === 0) process.kill(process.pid, "SIGKILL");
});

await serve(all);
