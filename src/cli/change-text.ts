import type { Json } from "../core/json.ts";
import { keyName, type KeyPath } from "../core/resource.ts";
import { spoken } from "./plan-text.ts";
import { printable } from "./printable.ts";

/** What became of one key; a document that does not name it has no value for it. */
interface KeyChange {
  readonly resource: string;
  readonly path: KeyPath;
  readonly from?: Json;
  readonly to?: Json;
}

/** A plugin's name, and below it what became of each key, a line each. */
export function changeLines(plugin: string, changes: readonly KeyChange[]): string[] {
  return [printable(plugin), ...changes.map(({ resource, path, from, to }) => `  ${printable(resource)} ${printable(keyName(path))}: ${side(from)} -> ${side(to)}`)];
}

function side(value: Json | undefined): string {
  return value === undefined ? "not declared" : spoken(value);
}
