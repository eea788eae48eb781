import type { Codec, Log } from "../platform/contract/ports.ts";

/** What the commands that read and write topics work with. */
export interface Desk {
  readonly log: Log;
  readonly codec: Codec;
}

/** What was asked for can't be done, and why. */
export interface Refusal {
  readonly refused: string;
}

/** Opens what a command works with, and closes it. */
export type OpenDesk = () => Promise<Desk & { readonly close: () => PromiseLike<void> }>;

/** All is closed before anything is said: a refusal ends the process. */
export const atDesk = async <T>(open: OpenDesk, ask: (desk: Desk) => Promise<T>): Promise<T> => {
  const { close, ...desk } = await open();
  try {
    return await ask(desk);
  } finally {
    await close();
  }
};
