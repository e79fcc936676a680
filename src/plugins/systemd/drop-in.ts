import type { ConfigFile } from "../../core/ports.ts";
import type { Manager } from "./manager.ts";

/** Where systemd keeps the drop-ins that SetUnitProperties writes; nobody edits there by hand. */
export const CONTROL_FOLDER = "/etc/systemd/system.control";

/** The drop-in that SetUnitProperties writes for a property. */
export function controlDropIn(unit: string, property: string): string {
  return `${CONTROL_FOLDER}/${unit}.d/50-${property}.conf`;
}

export interface DropIns {
  /** Of the properties asked for, those for which SetUnitProperties wrote one. */
  readonly set: readonly string[];
  /** Of those, what a file of somebody else's sets with the last word. */
  readonly overridden: Readonly<Record<string, string>>;
}

/** A unit's drop-ins, which systemd applies in the order of their file names. */
export async function readDropIns(
  { path, unit, wanted }: { readonly path: string; readonly unit: string; readonly wanted: readonly string[] },
  { manager, configFiles }: { readonly manager: Manager; readonly configFiles: ConfigFile },
): Promise<DropIns> {
  const paths = (await manager.property(path, "DropInPaths")) as string[];
  const foreign = paths.filter((file) => !file.startsWith(`${CONTROL_FOLDER}/`));
  const overriding = (property: string) =>
    foreign.findLast((file) => baseName(file) > `50-${property}.conf` && sets(configFiles.read(file), property));
  return {
    set: wanted.filter((name) => paths.includes(controlDropIn(unit, name))),
    overridden: Object.fromEntries(
      wanted.flatMap((property) => {
        const file = overriding(property);
        return file === undefined ? [] : [[property, file] as const];
      }),
    ),
  };
}

function sets(text: string | undefined, property: string): boolean {
  return new RegExp(`^\\s*${property}\\s*=`, "m").test(text ?? "");
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
