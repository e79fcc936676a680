import { join } from "node:path";
import { traces } from "./traces.ts";
import { waitUntil } from "./wait.ts";

/** Boots a host in a run of its own and kills that run. Returns when the host has left nothing; throws when it was not there, or stays. */
export async function killTheRunOf(kind: "Host" | "VirtualHost"): Promise<void> {
  const library = JSON.stringify(join(import.meta.dir, kind === "Host" ? "host.ts" : "virtual-host.ts"));
  const script = `const { ${kind} } = await import(${library}); console.log((await ${kind}.boot({ name: "orphan", binary: false })).id); await Bun.sleep(600_000);`;
  const run = Bun.spawn([process.execPath, "--eval", script], { stdout: "pipe", stderr: "inherit" });
  const id = new TextDecoder().decode((await run.stdout.getReader().read()).value).trim();
  const before = await traces(id);
  run.kill("SIGKILL");
  await run.exited;
  if (before.length === 0) throw new Error(`The run told of host '${id}', of which there is no trace`);
  await waitUntil(async () => (await traces(id)).length === 0, { what: "the orphan's guard to sweep", timeoutMs: 20_000 });
}
