import { OpError } from "../../../core/errors.ts";
import { commit, interfaceErrors } from "../../../protocols/ovsdb/commit.ts";
import type { Ovsdb } from "../../../protocols/ovsdb/ovsdb.ts";
import { readVswitch } from "../../../protocols/ovsdb/vswitch.ts";
import { isSo, operationsFor, type VswitchOperation } from "./operations.ts";
import type { VswitchSource } from "./reading.ts";

/** The names of the kernel's links, now. */
export type LinkNames = () => Promise<ReadonlySet<string>>;

const TIMEOUT_MS = 20_000;

/**
 * Brings operations about in one transaction, without those that are so already, and waits until ovs-vswitchd has done it and the links
 * are there, or gone. Rejects with kind failed where ovs-vswitchd cannot do it, kind unavailable where it does not come to it in time.
 */
export async function changeVswitch(operations: readonly VswitchOperation[], source: VswitchSource, linkNames: LinkNames): Promise<void> {
  const ovsdb = source.openVswitch();
  if (ovsdb === undefined) throw new OpError("unavailable", "Open vSwitch does not run on this host", { hint: "Start it with 'systemctl start openvswitch-switch'" });
  try {
    await carryOut(operations, ovsdb, linkNames);
  } finally {
    ovsdb.close();
  }
}

async function carryOut(operations: readonly VswitchOperation[], ovsdb: Ovsdb, linkNames: LinkNames): Promise<void> {
  const told = operationsFor(operations, await readVswitch(ovsdb));
  try {
    await commit(ovsdb, told, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    // Without ovs-vswitchd, what it has never made needs nobody to take it away.
    if (!operations.every(isRemoval) || !(await isGone(operations, ovsdb, linkNames))) throw error;
    return;
  }
  const [errors, links] = await Promise.all([interfaceErrors(ovsdb), linkNames()]);
  for (const operation of operations) {
    const name = operation.do === "add bridge" ? operation.bridge : operation.do === "add port" || operation.do === "move port" ? operation.port : undefined;
    if (name === undefined) continue;
    const why = errors.get(name);
    const lacks = (operation.do === "add bridge" || (operation.do === "add port" && operation.type !== "patch")) && !links.has(name);
    if (why !== undefined || lacks) throw new OpError("failed", `Open vSwitch could not make '${name}'${why === undefined ? "" : `: ${why}`}`, { hint: "See 'journalctl -u ovs-vswitchd'" });
  }
}

function isRemoval(operation: VswitchOperation): boolean {
  return operation.do === "remove bridge" || operation.do === "remove port";
}

async function isGone(operations: readonly VswitchOperation[], ovsdb: Ovsdb, linkNames: LinkNames): Promise<boolean> {
  const [vswitch, links] = await Promise.all([readVswitch(ovsdb), linkNames()]);
  return operations.every((operation) => isSo(operation, vswitch) && !(operation.do === "remove bridge" && links.has(operation.bridge)));
}
