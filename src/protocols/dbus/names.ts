/*
 * Names: D-Bus specification, "Valid Names" and "Valid Object Paths". Pure.
 */

const LENGTH_LIMIT = 255;
const UNIQUE = /^:[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/;
const WELL_KNOWN = /^[A-Za-z_-][A-Za-z0-9_-]*(\.[A-Za-z_-][A-Za-z0-9_-]*)+$/;
const INTERFACE = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$/;
const MEMBER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const OBJECT_PATH = /^(\/|(\/[A-Za-z0-9_]+)+)$/;

export function isBusName(name: string): boolean {
  return name.length <= LENGTH_LIMIT && (WELL_KNOWN.test(name) || UNIQUE.test(name));
}

export function isInterfaceName(name: string): boolean {
  return name.length <= LENGTH_LIMIT && INTERFACE.test(name);
}

export function isMemberName(name: string): boolean {
  return name.length <= LENGTH_LIMIT && MEMBER.test(name);
}

export function isObjectPath(path: string): boolean {
  return OBJECT_PATH.test(path);
}
