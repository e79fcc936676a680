import type { ConfigFile } from "../../core/ports.ts";

/** A directive of a unit file's [Install] section, which D-Bus does not tell and drop-ins cannot add to. */
export function installed(text: string | undefined, directive: "Also" | "WantedBy" | "RequiredBy"): string[] {
  const section = /^\[Install\][^[]*/m.exec(text ?? "")?.[0] ?? "";
  const lines = section.matchAll(new RegExp(`^${directive}\\s*=\\s*(.*)$`, "gm"));
  return [...lines].flatMap((match) => (match[1] ?? "").split(/\s+/)).filter(Boolean);
}

/** Where packages put unit files, the one with the last word first (systemd.unit(5)); below the mask in /etc. */
const PACKAGE_FOLDERS = ["/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/** Whether a masked unit is enabled below its mask, where systemd tells only that it is masked. null where it has no file there. */
export function enabledUnderMask(unit: string, configFiles: ConfigFile): boolean | null {
  const text = PACKAGE_FOLDERS.map((folder) => configFiles.read(`${folder}/${unit}`)).find((found) => found !== undefined);
  const links = [
    ...installed(text, "WantedBy").map((target) => `${target}.wants`),
    ...installed(text, "RequiredBy").map((target) => `${target}.requires`),
  ];
  if (links.length === 0) return null;
  return links.every((folder) => configFiles.isLink(`/etc/systemd/system/${folder}/${unit}`));
}
