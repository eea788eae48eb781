import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { runs, self, signal, startedAt } from "./identity.ts";

test("this process runs", () => expect(runs(self())).toBe(true));

test("a pid without a process has no start", () => expect(startedAt(2 ** 22 + 1)).toBeUndefined());

test("a stranger with the same pid is another process, and is not killed", async () => {
  const stranger = spawn("sleep", ["60"]);
  const pid = stranger.pid ?? 0;
  const started = startedAt(pid);
  try {
    expect(runs({ pid, started: "000000000000" })).toBe(false);
    expect(signal({ pid, started: "000000000000" }, "SIGKILL")).toBe(false);
    expect(runs({ pid, started: started ?? "" })).toBe(true);
    expect(signal({ pid, started: started ?? "" }, "SIGTERM")).toBe(true);
    expect((await once(stranger, "exit"))[1]).toBe("SIGTERM");
  } finally {
    stranger.kill("SIGKILL");
  }
});
