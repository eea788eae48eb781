// Run as a program beside a stack: node docker-watchdog.ts LABEL=VALUE. Its input is a pipe from the stack's process. A
// word on it means that all is stopped; its end without one, that the stack died without stopping anything.
import { text } from "node:stream/consumers";

const [, , label = ""] = process.argv;
process.on("SIGHUP", () => undefined);
if (label && !(await text(process.stdin))) {
  // Loaded only now: it is 60 MB that would lie about as long as the stack runs.
  const { getContainerRuntimeClient } = await import("testcontainers");
  const { removeContainers } = await import("./docker-remove.ts");
  await removeContainers(await getContainerRuntimeClient(), label);
}
