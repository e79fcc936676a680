import type { Json } from "../../core/json.ts";

/** A VLAN of a bridge's port: what comes in without a tag belongs to the one with `pvid`, what goes out has none with `untagged`. */
export interface PortVlan {
  readonly id: number;
  readonly pvid: boolean;
  readonly untagged: boolean;
}

interface DeclaredVlans {
  readonly pvid?: number | null | undefined;
  readonly vids?: readonly (number | string)[] | null | undefined;
  readonly untagged?: readonly (number | string)[] | null | undefined;
}

/** The ids of a list such as [10, "20-29"]; undefined where one is none. */
export function vlanIds(list: readonly (number | string)[]): number[] | undefined {
  const ids: number[] = [];
  for (const item of list) {
    const [, from, to = from] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(String(item)) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (from === undefined || first < 1 || last > 4094 || first > last) return undefined;
    for (let id = first; id <= last; id += 1) ids.push(id);
  }
  return ids;
}

/** Whether any of the keys that together say a port's VLANs is written. */
export function namesVlans({ pvid, vids, untagged }: DeclaredVlans): boolean {
  return pvid !== undefined || vids !== undefined || untagged !== undefined;
}

/** The one spelling of a port's VLANs: ["1 pvid untagged", "2-9"]. Each is named once, whichever of the keys names it. */
export function vlansOf({ pvid, vids, untagged }: DeclaredVlans): string[] {
  const bare = new Set(vlanIds(untagged ?? []));
  const all = [...new Set([...(vlanIds(vids ?? []) ?? []), ...bare, ...(pvid == null ? [] : [pvid])])];
  return vlansText(all.map((id) => ({ id, pvid: id === pvid, untagged: bare.has(id) })));
}

export function vlansText(vlans: readonly PortVlan[]): string[] {
  const ranges: { first: number; last: number; flags: string }[] = [];
  for (const { id, pvid, untagged } of vlans.toSorted((a, b) => a.id - b.id)) {
    const flags = `${pvid ? " pvid" : ""}${untagged ? " untagged" : ""}`;
    const last = ranges.at(-1);
    if (last !== undefined && last.last === id - 1 && last.flags === flags) last.last = id;
    else ranges.push({ first: id, last: id, flags });
  }
  return ranges.map(({ first, last, flags }) => `${first === last ? first : `${first}-${last}`}${flags}`);
}

/** The inverse of `vlansText`. */
export function parseVlans(texts: readonly string[]): PortVlan[] {
  return texts.flatMap((text) => {
    const [range = "", ...flags] = text.split(" ");
    return (vlanIds([range]) ?? []).map((id) => ({ id, pvid: flags.includes("pvid"), untagged: flags.includes("untagged") }));
  });
}

/** The keys of a document that say these VLANs. */
export function vlanKeys(texts: readonly string[]): Record<string, Json> {
  const vlans = parseVlans(texts);
  const pvid = vlans.find((vlan) => vlan.pvid)?.id;
  const ranges = (some: readonly PortVlan[]) => vlansText(some.map(({ id }) => ({ id, pvid: false, untagged: false }))).map((text) => (text.includes("-") ? text : Number(text)));
  return {
    ...(pvid === undefined ? {} : { pvid }),
    vids: ranges(vlans.filter((vlan) => !vlan.pvid && !vlan.untagged)),
    untagged: ranges(vlans.filter(({ untagged }) => untagged)),
  };
}
