import type { Codec, Log } from "../platform/contract/ports.ts";

/** Log and codec of the commands that read and write topics. */
export interface Desk {
  readonly log: Log;
  readonly codec: Codec;
}

/** Reason why a command can't be done. */
export interface Refusal {
  readonly refused: string;
}

/** Opens a desk; `close` closes it. */
export type OpenDesk = () => Promise<Desk & { readonly close: () => PromiseLike<void> }>;

/** Asks at an open desk. The desk is closed before the answer is printed, because a refusal ends the process. */
export const atDesk = async <T>(open: OpenDesk, ask: (desk: Desk) => Promise<T>): Promise<T> => {
  const { close, ...desk } = await open();
  try {
    return await ask(desk);
  } finally {
    await close();
  }
};
