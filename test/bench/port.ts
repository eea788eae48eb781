import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** Finds a free port whose next port is free too: a broker's and its controller's. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = await taken(0);
    if ((await taken(port + 1).catch(() => 0)) > 0) return port;
  }
};

const taken = async (wanted: number): Promise<number> => {
  const server = createServer().listen(wanted, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};
