/** What systemd calls a unit's type: the word after the last dot. */
export const UNIT_TYPES = [
  "service", "socket", "target", "device", "mount", "automount", "swap", "timer", "path", "slice", "scope",
] as const;
export type UnitType = (typeof UNIT_TYPES)[number];

/** D-Bus interface of the units of a type, for properties that belong to the type. */
const INTERFACES: Readonly<Record<UnitType, string>> = {
  service: "Service", socket: "Socket", target: "Target", device: "Device", mount: "Mount", automount: "Automount",
  swap: "Swap", timer: "Timer", path: "Path", slice: "Slice", scope: "Scope",
};

export const MANAGER_NAME = "org.freedesktop.systemd1";
export const UNIT_INTERFACE = "org.freedesktop.systemd1.Unit";

/** Why a string cannot be a unit's name (systemd.unit(5)), or undefined when it can. */
export function unitNameProblem(name: string): string | undefined {
  if (name.length === 0 || name.length > 255) return "A unit name has 1 to 255 characters";
  const dot = name.lastIndexOf(".");
  const type = name.slice(dot + 1);
  if (dot < 1 || !(UNIT_TYPES as readonly string[]).includes(type)) {
    return `A unit name ends in its type: ${UNIT_TYPES.map((known) => `.${known}`).join(" ")}`;
  }
  const bad = /[^A-Za-z0-9:_.\\@-]/u.exec(name);
  if (bad !== null) return `A unit name cannot hold ${JSON.stringify(bad[0])}`;
  if (name.startsWith("@")) return "A unit name cannot begin with '@'";
  return undefined;
}

export function unitTypeOf(name: string): UnitType {
  return name.slice(name.lastIndexOf(".") + 1) as UnitType;
}

export function interfaceOf(name: string): string {
  return `org.freedesktop.systemd1.${INTERFACES[unitTypeOf(name)]}`;
}

/** "getty@.service": not a unit itself, only a pattern for its instances. */
export function isTemplate(name: string): boolean {
  return /^[^@]+@\.[a-z]+$/.test(name);
}

export function isInstance(name: string): boolean {
  return name.includes("@") && !isTemplate(name);
}

/** The template of an instance: "getty@.service" of "getty@tty1.service". */
export function templateOf(name: string): string {
  return `${name.slice(0, name.indexOf("@") + 1)}${name.slice(name.lastIndexOf("."))}`;
}

/** The name as an fnmatch(3) pattern that matches just itself: a backslash stands for itself in "dev-disk-by\x2dlabel-a.swap". */
export function asPattern(name: string): string {
  return name.replaceAll("\\", "\\\\");
}

/** The path of a unit's object: what is not a letter or a digit (or is one, in front) stands as its code in hex. */
export function unitPath(name: string): string {
  const label = name.replaceAll(/^\d|[^A-Za-z0-9]/g, (character) => `_${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `/org/freedesktop/systemd1/unit/${label}`;
}
