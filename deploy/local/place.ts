import type { Ports } from "./ports.ts";
import type { Voice } from "./voice.ts";

/** The folders and the voice of a stack, given to each of its parts. */
export interface Place {
  /** Data, logs, ports and passwords of this stack; held by this process alone. */
  readonly dataDir: string;
  /** Downloaded programs, shared with other stacks. */
  readonly cacheDir: string;
  readonly environment: Record<string, string | undefined>;
  readonly ports: Ports;
  readonly voice: Voice;
  /** The data is throwaway: speed goes before durability. */
  readonly throwaway: boolean;
}

/** One part that runs, with its address for clients. Disposing stops it. */
export interface Started {
  readonly address: string;
  readonly stop: AsyncDisposable;
}

/** The seconds since `began`, for a line such as 'up in 1.2 s'. */
export function upIn(began: number): string {
  return `up in ${((performance.now() - began) / 1000).toFixed(1)} s`;
}

/** A part that the environment names: reported, and never stopped by us. */
export function given(place: Place, name: string, address: string): Started {
  place.voice.say(`${name}: ${withoutPassword(address)}, as the environment says`);
  return { address, stop: { [Symbol.asyncDispose]: async () => undefined } };
}

/** An address without its password. */
export function withoutPassword(address: string): string {
  return address.replace(/\/\/([^:@/]*):[^@/]*@/, "//$1@");
}
