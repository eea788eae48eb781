import { product } from "../../domain/topics.ts";
import type { World } from "../../platform/engine/world.ts";
import { conversations } from "../../conversations/rule.ts";
import type { Codec } from "../../platform/contract/ports.ts";
import { inboxes } from "../../inboxes/rule.ts";
import { wakeups } from "../../platform/runtime/wakeups.ts";
import { type Engine, startEngine } from "../../platform/engine/engine.ts";
import { loop, type Steps } from "../../platform/runtime/loop.ts";
import { relay } from "../../platform/engine/output/relay.ts";
import { choices, type Side } from "./side.ts";

/** Processors at work on a log and a store of their own: the services' code, without workers that send. */
export interface Fold extends AsyncDisposable {
  /** Rejects when one of the loops fails. */
  readonly failure: Promise<never>;
  /** Ends the folding after the current step, and publishes the rest of the outbox. Throws Transient. */
  stop(): Promise<void>;
}

export const startFold = async ({ log, store, clock }: Side, codec: Codec): Promise<Fold> => {
  const world: World = { product, log, store, codec, clock, relay: relay(log, store), wakeups: wakeups() };
  const intake = new AbortController();
  const outlet = new AbortController();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined); // callers race their waits against it
  const start = (steps: Steps, signal: AbortSignal): Promise<void> => {
    const running = loop(steps, clock, signal);
    running.catch(failure.reject);
    return running;
  };
  await using opening = new AsyncDisposableStack();
  const engines: readonly Engine[] = [
    opening.use(await startEngine(conversations, world)),
    opening.use(await startEngine(inboxes, world)),
    opening.use(await startEngine(choices, world)),
  ];
  const joined = opening.move();
  const relaying = start({ name: "relay", ...world.relay, nextDue: () => null }, outlet.signal);
  const running = engines.map((engine) => start(engine, intake.signal));

  const end = async (): Promise<void> => {
    intake.abort();
    await Promise.allSettled(running);
    await joined.disposeAsync();
    outlet.abort();
    await Promise.allSettled([relaying]);
  };
  return {
    failure: failure.promise,
    async stop() {
      await end();
      while (await world.relay.step());
    },
    [Symbol.asyncDispose]: end,
  };
};
