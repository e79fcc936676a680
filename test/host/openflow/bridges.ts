import { join } from "node:path";
import { compiled } from "../harness/compiled.ts";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";

const PROGRAM = "/usr/local/bin/flows-program";
const TIMEOUT_MS = 300_000;

let program: Promise<string> | undefined;

/** A test on a host of its own, with Open vSwitch running and flows-program.ts installed. */
export function bridgeTest(name: string, run: (host: Host) => Promise<void>): void {
  const withProgram = async (host: Host) => {
    await host.put(await (program ??= compiled(join(import.meta.dir, "flows-program.ts"))), PROGRAM, 0o755);
    await host.must(["systemctl", "start", "openvswitch-switch"]);
    await run(host);
  };
  hostTest(name, withProgram, { pristine: { variant: "network", binary: false }, timeoutMs: TIMEOUT_MS });
}

/** What flows-program.ts prints. */
export async function flowsProgram(host: Host, args: readonly string[], flows: readonly string[] = []): Promise<unknown> {
  return JSON.parse((await host.must([PROGRAM, ...args], { input: `${flows.join("\n")}\n` })).stdout);
}

/** Makes a bridge without flows, with four ports named `veth1` to `veth4` after the prefix, and with what flows may refer to. */
export async function makeBridge(host: Host, bridge: string, prefix = ""): Promise<void> {
  const ports = [1, 2, 3, 4].map((port) => ({ port, name: `${prefix}veth${port}` }));
  for (const { name } of ports) await host.must(["ip", "link", "add", name, "type", "veth", "peer", "name", `p-${name}`]);
  const added = ports.flatMap(({ port, name }) => ["--", "add-port", bridge, name, "--", "set", "interface", name, `ofport_request=${port}`]);
  await host.must(["ovs-vsctl", "add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev", ...added]);
  await host.must([...ofctl("add-group"), bridge, "group_id=5,type=all,bucket=output:1"]);
  await host.must([...ofctl("add-meter"), bridge, "meter=1,pktps,bands=type=drop,rate=100"]);
  await host.must([...ofctl("del-flows"), bridge]);
}

export function ofctl(command: string): string[] {
  return ["ovs-ofctl", "-O", "OpenFlow14", command];
}

/** A bridge's flows as ovs-ofctl prints them. */
export async function flowsOf(host: Host, bridge: string, names: "--names" | "--no-names" = "--no-names"): Promise<string[]> {
  const { stdout } = await host.must([...ofctl("dump-flows"), "--no-stats", names, bridge]);
  return stdout.split("\n").filter((line) => line.startsWith(" ")).map((line) => line.trim());
}
