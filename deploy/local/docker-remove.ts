import type { ContainerRuntimeClient } from "testcontainers";

/** Seconds that a container has for its orderly end. */
export const STOP_S = 20;

/** Stops and removes the containers with a label, `NAME=VALUE`, but not their named volumes; returns their number. */
export async function removeContainers({ container }: ContainerRuntimeClient, label: string): Promise<number> {
  const found = await container.dockerode.listContainers({ all: true, filters: { label: [label] } });
  await Promise.all(
    found.map(async ({ Id }) => {
      const each = container.dockerode.getContainer(Id);
      await each.stop({ t: STOP_S }).catch(ignoreGone);
      await each.remove({ force: true, v: true }).catch(ignoreGone);
    }),
  );
  return found.length;
}

/** Swallows the engine's errors for 'stopped already', 'no such container' and 'being removed'; throws any other. */
export function ignoreGone(error: unknown): void {
  if (![304, 404, 409].includes((error as { statusCode?: number }).statusCode ?? 0)) throw error;
}
