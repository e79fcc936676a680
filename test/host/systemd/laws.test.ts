import { realpathSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { hostTest } from "../harness/shared.ts";

const CHECKOUT = join(import.meta.dir, "../../..");
const BINDS = [
  { source: CHECKOUT, path: "/mnt/checkout" },
  { source: realpathSync(process.execPath), path: "/usr/local/bin/bun" },
];

hostTest("laws: the systemd plugin through the conformance suite, on generated documents and other people's edits", async (host) => {
  // systemd's time for listing unit files grows with the square of their number, and every picture of a host lists them all.
  await host.must(["sh", "-c", "ls /usr/lib/systemd/system/demo-bulk-* | grep -v 'demo-bulk-001' | xargs rm; systemctl daemon-reload"]);
  const result = await host.run(["bun", "test", "./test/conformance/systemd-laws.ts"], { cwd: "/mnt/checkout", timeoutMs: 1_200_000, env: lawSettings() });
  const lines = result.stderr.split("\n").filter((line) => /^\((pass|fail|skip)\)/.test(line));
  console.log(lines.map((line) => `  ${line}`).join("\n"));
  if (result.exit !== 0) throw new Error(result.stderr.slice(-8000));
  expect(lines.length).toBeGreaterThan(7);
}, { pristine: { binds: BINDS }, timeoutMs: 1_260_000 });

function lawSettings(): Record<string, string> {
  const { LAW_RUNS, LAW_SEED } = process.env;
  return { ...(LAW_RUNS === undefined ? {} : { LAW_RUNS }), ...(LAW_SEED === undefined ? {} : { LAW_SEED }) };
}
