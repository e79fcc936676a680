import type { ConfigFile, FolderEntry } from "../../core/ports.ts";
import { CONTROL_FOLDER } from "./drop-in.ts";
import { installSettings } from "./unit-file.ts";

/** A unit's own file, of which the folders alone tell whether the unit is enabled for good. */
export interface PlainUnitFile {
  readonly path: string;
  readonly state: "enabled" | "disabled";
}

/** Where people and packages put unit files; what is elsewhere is made at run time (systemd.unit(5)). */
const LASTING = ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/**
 * The folders that systemd reads unit files from, looked through once. systemd looks through all of them anew for each unit that it is
 * asked about. What is not plain to see here is left to systemd.
 */
export class UnitFolders {
  readonly #configFiles: ConfigFile;
  /** The kind of what has a name in the first folder that has it. */
  readonly #first = new Map<string, { readonly folder: string; readonly kind: FolderEntry["kind"] }>();
  /** The `.wants`, `.requires` and `.upholds` folders that have a link of a name; an older systemd does not know the last. */
  readonly #wanting = new Map<string, string[]>();
  /** Names that a link of another name leads to. */
  readonly #renamed = new Set<string>();

  /** `folders` as in systemd's UnitPath, the one with the first word first. */
  constructor(folders: readonly string[], configFiles: ConfigFile) {
    this.#configFiles = configFiles;
    for (const folder of withoutTwins(folders, configFiles)) this.#look(folder);
  }

  /** undefined for what is masked, linked, an alias, a template, an instance, generated, without [Install] … */
  plain(unit: string): PlainUnitFile | undefined {
    const { folder, kind } = this.#first.get(unit) ?? {};
    if (folder === undefined || kind !== "file" || !LASTING.includes(folder) || unit.includes("@")) return undefined;
    const path = `${folder}/${unit}`;
    // An empty file is a mask.
    const state = this.#configFiles.isEmpty(path) ? undefined : this.#state(unit, path);
    return state === undefined ? undefined : { path, state };
  }

  #state(unit: string, path: string): PlainUnitFile["state"] | undefined {
    const wanting = this.#wanting.get(unit) ?? [];
    if (wanting.some((folder) => /^\/etc\/systemd\/system\/[^/]+\.(wants|requires)$/.test(folder))) return "enabled";
    if (wanting.length > 0 || this.#renamed.has(unit) || this.#first.has(`${unit}.d`)) return undefined;
    return canBeEnabled(this.#configFiles.read(path) ?? "") ? "disabled" : undefined;
  }

  #look(folder: string): void {
    for (const { name, kind } of this.#configFiles.list(folder)) {
      if (folder !== CONTROL_FOLDER && !this.#first.has(name)) this.#first.set(name, { folder, kind });
      if (kind === "folder" && /\.(wants|requires|upholds)$/.test(name)) this.#lookAtWants(`${folder}/${name}`);
      if (kind !== "link") continue;
      const target = this.#configFiles.linkTarget(`${folder}/${name}`) ?? "";
      const targetName = target.slice(target.lastIndexOf("/") + 1);
      if (targetName !== name) this.#renamed.add(targetName);
    }
  }

  #lookAtWants(folder: string): void {
    for (const { name, kind } of this.#configFiles.list(folder)) {
      if (kind === "link") this.#wanting.set(name, [...(this.#wanting.get(name) ?? []), folder]);
    }
  }
}

/** /lib is mostly a link to /usr/lib: the same folder need not be looked through twice. */
function withoutTwins(folders: readonly string[], configFiles: ConfigFile): readonly string[] {
  return /^\/?usr\/lib$/.test(configFiles.linkTarget("/lib") ?? "") ? folders.filter((folder) => !folders.includes(folder.slice("/usr".length))) : folders;
}

/** True where [Install] says in plain words who wants the unit. Anything that systemd might read otherwise is not plain. */
function canBeEnabled(text: string): boolean {
  const wanted = installSettings(text, ["WantedBy", "RequiredBy"]);
  return wanted.length > 0 && !text.includes("\\\n") && wanted.every((value) => /^[A-Za-z0-9_.:-]+( [A-Za-z0-9_.:-]+)*$/.test(value));
}
