import { guard, untilReady } from "./child.ts";
import type { Java } from "./java.ts";
import { formatNode, newClusterId, READY_MS, startNode } from "./kafka-node.ts";
import { servesGroups } from "./kafka-wire.ts";
import { fetched, type Fetched } from "./maven.ts";
import { upIn, type Place, type Started } from "./place.ts";
import { withPort } from "./ports.ts";

/** Heap of a node in MiB. */
const HEAP = 512;
const NODE = { id: 1, name: "kafka" };

/** Kafka's jars, as Maven fetches them. */
export function kafkaJars(cacheDir: string): Fetched {
  return fetched("kafka", cacheDir, [["dependency:copy-dependencies", "-DincludeScope=runtime"]]);
}

/** A cluster of one node, from a folder of jars. */
export async function startKafka(place: Place, java: Java, jars: string): Promise<Started> {
  const machine = { place, java, jars };
  const data = await formatNode(machine, NODE, newClusterId());
  return withPort(place.ports, "kafka", (port) =>
    withPort(place.ports, "kafkaController", async (controller) => {
      const began = performance.now();
      await using started = new AsyncDisposableStack();
      const node = { ...NODE, port, controllers: new Map([[NODE.id, controller]]), heap: HEAP };
      const child = started.use(await startNode(machine, node));
      await untilReady(child, () => servesGroups(port), READY_MS);
      started.use(guard(child, place.voice));
      const { version } = kafkaJars(place.cacheDir);
      place.voice.say(
        `kafka: Apache Kafka ${version} at 127.0.0.1:${port}, process ${child.pid}, Java ${java.version}, data in ${data}, ${upIn(began)}`,
      );
      return { address: `127.0.0.1:${port}`, stop: started.move() };
    }),
  );
}
