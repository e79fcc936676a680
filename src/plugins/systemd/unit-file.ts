import type { ReadOnce } from "./reader.ts";

interface UnitFilePath {
  readonly unit: string;
  readonly file: string | null;
}

/** Where packages put unit files, the one with the last word first (systemd.unit(5)); below the mask in /etc. */
const PACKAGE_FOLDERS = ["/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
/** Where a unit's drop-ins are, those with the last word last. */
const FOLDERS = ["/usr/lib/systemd/system", "/usr/local/lib/systemd/system", "/run/systemd/system", "/etc/systemd/system"];

/** A directive of a unit's [Install] sections, its drop-ins' included, which D-Bus does not tell. */
export function installed(unit: UnitFilePath, directive: "Also" | "WantedBy" | "RequiredBy", files: ReadOnce): string[] {
  return valuesOf(unit, `[Install]${directive}`, files).flatMap((value) => value.split(/\s+/).filter(Boolean));
}

/** What these directives of [Install] are set to in a unit file's own text. */
export function installSettings(text: string, directives: readonly string[]): string[] {
  return settings(text).flatMap(({ name, value }) => (directives.some((directive) => name === `[Install]${directive}`) ? [value] : []));
}

/** Whether a masked unit is enabled below its mask, where systemd tells only that it is masked. null where it has no file there. */
export function enabledUnderMask(unit: string, files: ReadOnce): boolean | null {
  const file = fileUnderMask(unit, files);
  if (file === null) return null;
  const links = [
    ...installed({ unit, file }, "WantedBy", files).map((target) => `${target}.wants`),
    ...installed({ unit, file }, "RequiredBy", files).map((target) => `${target}.requires`),
  ];
  if (links.length === 0) return null;
  return links.every((folder) => files.linkTarget(`/etc/systemd/system/${folder}/${unit}`) !== undefined);
}

/** What a masked service will be once it is unmasked (systemd.service(5), Type=). */
export function serviceUnderMask(unit: string, files: ReadOnce): { readonly serviceType: string; readonly remainAfterExit: boolean } {
  const file = fileUnderMask(unit, files);
  const last = (key: string) => valuesOf({ unit, file }, `[Service]${key}`, files).at(-1);
  const implicit = last("BusName") !== undefined ? "dbus" : last("ExecStart") === undefined ? "oneshot" : "simple";
  return { serviceType: last("Type") ?? implicit, remainAfterExit: /^(1|yes|y|true|t|on)$/i.test(last("RemainAfterExit") ?? "") };
}

function fileUnderMask(unit: string, files: ReadOnce): string | null {
  return PACKAGE_FOLDERS.map((folder) => `${folder}/${unit}`).find((path) => files.read(path) !== undefined) ?? null;
}

/** What "[Section]Key" is set to, in the unit file and then in its drop-ins. */
function valuesOf({ unit, file }: UnitFilePath, wanted: string, files: ReadOnce): string[] {
  const folders = FOLDERS.filter((folder) => files.has(folder, `${unit}.d`)).map((folder) => `${folder}/${unit}.d`);
  const dropIns = folders.flatMap((folder) => files.list(folder).map(({ name }) => `${folder}/${name}`));
  const paths = [...(file === null ? [] : [file]), ...dropIns.filter((path) => path.endsWith(".conf"))];
  return paths.flatMap((path) => settings(files.read(path) ?? "").flatMap(({ name, value }) => (name === wanted ? [value] : [])));
}

function settings(text: string): { readonly name: string; readonly value: string }[] {
  let section = "";
  return text.replaceAll("\\\n", " ").split("\n").flatMap((line) => {
    section = /^\s*(\[.*\])\s*$/.exec(line)?.[1] ?? section;
    const [, key, value = ""] = /^\s*(\w+)\s*=(.*)$/.exec(line) ?? [];
    return key === undefined ? [] : [{ name: `${section}${key}`, value: value.trim() }];
  });
}
