import type { Codec, Log } from "../platform/contract/ports.ts";

/** Dependencies of the commands that read and write topics. */
export interface CommandDeps {
  readonly log: Log;
  readonly codec: Codec;
}

/** Reason why a command can't be done. */
export interface Refusal {
  readonly refused: string;
}

/** Opens the log and the codec; `close` closes them. */
export type OpenCommandDeps = () => Promise<CommandDeps & { readonly close: () => PromiseLike<void> }>;

/**
 * Asks with the log and the codec open. They are closed before the answer is printed, because a refusal ends the process.
 */
export const withCommandDeps = async <T>(open: OpenCommandDeps, ask: (deps: CommandDeps) => Promise<T>): Promise<T> => {
  const { close, ...deps } = await open();
  try {
    return await ask(deps);
  } finally {
    await close();
  }
};
