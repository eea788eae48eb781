// Runs as a program beside a stack: node docker-watchdog.ts LABEL=VALUE. Its input is a pipe from the stack's process.
// A word on it means that all is stopped. An end without one means that the stack died, and the watchdog removes its
// containers.
import { text } from "node:stream/consumers";

const [, , label = ""] = process.argv;
process.on("SIGHUP", () => undefined);
if (label && !(await text(process.stdin))) {
  // Loaded only now: it takes 60 MB, which would be held for as long as the stack runs.
  const { getContainerRuntimeClient } = await import("testcontainers");
  const { removeContainers } = await import("./docker-remove.ts");
  await removeContainers(await getContainerRuntimeClient(), label);
}
