import { realpathSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { hostTest } from "../harness/shared.ts";

const CHECKOUT = join(import.meta.dir, "../../..");
const BINDS = [
  { source: CHECKOUT, path: "/mnt/checkout" },
  { source: realpathSync(process.execPath), path: "/usr/local/bin/bun" },
];

hostTest("laws: Open vSwitch in the net plugin through the conformance suite, on generated documents and other people's edits", async (host) => {
  await host.must(["systemctl", "start", "openvswitch-switch"]);
  const result = await host.run(["bun", "test", "./test/conformance/net-ovs-laws.ts"], { cwd: "/mnt/checkout", timeoutMs: 1_200_000, env: lawSettings() });
  const lines = result.stderr.split("\n").filter((line) => /^\((pass|fail|skip)\)/.test(line));
  console.log(lines.map((line) => `  ${line}`).join("\n"));
  if (result.exit !== 0) throw new Error(result.stderr.slice(-8000));
  expect(lines.length).toBeGreaterThan(7);
}, { pristine: { variant: "network", binds: BINDS }, timeoutMs: 1_260_000 });

function lawSettings(): Record<string, string> {
  const { LAW_RUNS, LAW_SEED } = process.env;
  return { ...(LAW_RUNS === undefined ? {} : { LAW_RUNS }), ...(LAW_SEED === undefined ? {} : { LAW_SEED }) };
}
