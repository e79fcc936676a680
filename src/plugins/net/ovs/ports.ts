import { isRoute } from "../route-name.ts";
import type { View } from "../state.ts";
import { isOvsType, type OvsType } from "./declared.ts";

/** What Open vSwitch makes of it, or is to make; undefined for the kernel's own. */
export function ovsTypeOf(name: string, view: View): OvsType | undefined {
  const type = view.isThere(name) ? view.now(name).type : view.want(name)?.type;
  return isOvsType(type) ? type : undefined;
}

export function isOvsBridge(name: string, view: View): boolean {
  return ovsTypeOf(name, view) === "ovs-bridge";
}

/** The bridge of Open vSwitch that something is a port of. */
export function ovsBridgeOf(port: string, view: View): string | undefined {
  const master = view.master(port);
  return master !== undefined && isOvsBridge(master, view) ? master : undefined;
}

/** The interface whose declared ports have this one. */
export function declaredMasterOf(port: string, view: View): string | undefined {
  return Object.keys(view.desired).find((name) => !isRoute(name) && view.want(name)?.state !== "absent" && view.want(name)?.ports?.[port]?.state === "present");
}

/** Whether it leads somewhere out of this host: not to another bridge, nor to the host itself. */
export function isOutward(port: string, view: View): boolean {
  return !isOvsType(view.now(port).type);
}
