import type { View } from "./state.ts";
import type { Family } from "./subnet.ts";

/** What is declared and not there. */
export function addressesToAdd(name: string, family: Family, view: View): string[] {
  const declared = Object.entries(view.want(name)?.[family]?.address ?? {});
  const now = addressesNow(name, family, view);
  return declared.flatMap(([address, kind]) => (kind === "present" && !now.includes(address) ? [address] : []));
}

/** What is declared absent, what op-dbus put there and the list no longer has, or all where the family is not to be enabled. */
export function addressesToRemove(name: string, family: Family, view: View): string[] {
  const { written, [family]: { address: declared = {}, enabled } = {} } = view.want(name) ?? {};
  return addressesNow(name, family, view).filter((address) => {
    const kind = Object.hasOwn(declared, address) ? declared[address] : undefined;
    if (kind === undefined) return (family === "ipv4" && enabled === false) || (written?.[`${family}.address`] !== undefined && view.owns(name, [family, "address", address]));
    return kind === "absent" || kind === null;
  });
}

/** The addresses that are there, in the kernel's order. */
export function addressesNow(name: string, family: Family, view: View): string[] {
  const addresses = view.now(name)[family]?.address ?? {};
  return Object.keys(addresses).filter((address) => addresses[address] === "present");
}
