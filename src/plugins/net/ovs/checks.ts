import type { DeclaredInterface } from "../declared.ts";

type Add = (path: readonly (string | number)[], message: string) => void;

const OF_BRIDGES = ["fail_mode", "datapath_type"] as const;
const OF_PORTS = ["tag", "trunks", "vlan_mode"] as const;
/** ovsdb(7), "Connection Methods", and those of OpenFlow in ovs-vswitchd.conf.db(5), Controller. */
const TARGET = /^(?:tcp|ssl|ptcp|pssl|unix|punix):\S+$/;

/** What is wrong, whatever the host, with what an interface says of Open vSwitch. */
export function vswitchProblems(entry: DeclaredInterface, add: Add): void {
  const { name, type, ovs = {}, controller } = entry;
  const isBridge = type === "ovs-bridge";
  const typed = type != null;
  for (const key of OF_BRIDGES) if (ovs[key] != null && typed && !isBridge) add(["ovs", key], `'${name}' is of type "${type}"; '${key}' is for "ovs-bridge"`);
  for (const key of OF_PORTS) if (ovs[key] != null && isBridge) add(["ovs", key], `'${name}' is a bridge; '${key}' is for its ports`);
  if (ovs.peer != null && typed && type !== "ovs-patch") add(["ovs", "peer"], `'${name}' is of type "${type}"; 'peer' is for "ovs-patch"`);
  if (ovs.peer === name) add(["ovs", "peer"], `'${name}' cannot be its own peer`);
  if (ovs.other_config?.hwaddr !== undefined && (isBridge || !typed)) add(["ovs", "other_config", "hwaddr"], "The hardware address of a bridge is declared as 'mac'");
  if (controller != null && typed && !isBridge) add(["controller"], `'${name}' is of type "${type}"; 'controller' is for "ovs-bridge"`);
  if (controller != null && !TARGET.test(controller)) add(["controller"], `${JSON.stringify(controller)} is no controller, such as "tcp:192.0.2.1:6653"`);
  if (type === "ovs-patch") {
    for (const key of ["up", "mtu", "mac", "ipv4", "ipv6"] as const) if (entry[key] != null) add([key], `'${name}' is a patch port, which the kernel does not know: it has no '${key}'`);
  }
  if (!isBridge) return;
  for (const [index, port] of (entry.ports ?? []).entries()) {
    const key = typeof port === "string" ? undefined : (["pvid", "vids", "untagged"] as const).find((each) => port[each] != null);
    if (key !== undefined) add(["ports", index, key], "A port of Open vSwitch has its VLANs in its own entry: 'ovs.tag' and 'ovs.trunks'");
  }
}
