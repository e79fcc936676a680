import type { Plugin } from "../core/plugin.ts";
import { createNetPlugin, type NetOptions } from "./net/plugin.ts";
import { createOpenflowPlugin, type OpenflowOptions } from "./openflow/plugin.ts";
import { createSystemdPlugin, type SystemdOptions } from "./systemd/plugin.ts";

export type PluginOptions = SystemdOptions & NetOptions & OpenflowOptions;

/** The plugins written by hand, in the order in which their steps are taken where nothing else decides. */
export function createPlugins(options: PluginOptions): Plugin[] {
  return [createSystemdPlugin(options), createNetPlugin(options), createOpenflowPlugin(options)];
}
