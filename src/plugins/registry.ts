import type { Plugin } from "../core/plugin.ts";
import { createNetPlugin, type NetOptions } from "./net/plugin.ts";
import { createSystemdPlugin, type SystemdOptions } from "./systemd/plugin.ts";

export type PluginOptions = SystemdOptions & NetOptions;

/** The plugins written by hand, in the order in which their steps are taken where nothing else decides. */
export function createPlugins(options: PluginOptions): Plugin[] {
  return [createSystemdPlugin(options), createNetPlugin(options)];
}
