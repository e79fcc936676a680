import type { Plugin } from "../core/plugin.ts";
import type { Bus } from "../protocols/dbus/bus.ts";
import type { NetOptions } from "./net/plugin.ts";
import type { OpenflowOptions } from "./openflow/plugin.ts";
import type { SystemdOptions } from "./systemd/plugin.ts";

/** What plugins work with. What one speaks to is put together for it, and opened when it first needs it. */
export interface Surroundings extends Omit<SystemdOptions & NetOptions, "bus" | "netlink" | "openVswitch"> {
  bus(): Promise<Bus>;
  network(): Promise<Pick<NetOptions, "netlink" | "openVswitch">>;
  vswitch(): Promise<OpenflowOptions>;
}

type Maker = (around: Surroundings) => Promise<Plugin>;

/** The plugins written by hand, in the order in which their steps are taken where nothing else decides. What nobody asks for is not loaded. */
const MAKERS: Readonly<Record<string, Maker>> = {
  systemd: async ({ bus, ...around }) => (await import("./systemd/plugin.ts")).createSystemdPlugin({ ...around, bus: await bus() }),
  net: async ({ network, ...around }) => (await import("./net/plugin.ts")).createNetPlugin({ ...around, ...(await network()) }),
  openflow: async ({ vswitch }) => (await import("./openflow/plugin.ts")).createOpenflowPlugin(await vswitch()),
};

/** The plugins by these names, or all of them where there is none by one of the names. */
export async function createPlugins(around: Surroundings, names: readonly string[] = Object.keys(MAKERS)): Promise<Plugin[]> {
  const known = names.every((name) => Object.hasOwn(MAKERS, name));
  const made = Object.entries(MAKERS).filter(([name]) => !known || names.includes(name));
  return await Promise.all(made.map(([, make]) => make(around)));
}
