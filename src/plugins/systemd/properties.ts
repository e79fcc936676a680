import type { Json } from "../../core/json.ts";
import type { Variant } from "../../protocols/dbus/bus.ts";
import { interfaceOf, UNIT_INTERFACE, unitTypeOf, type UnitType } from "./unit-name.ts";

/*
 * The properties that SetUnitProperties takes for a unit that is not transient, under their names in unit files
 * (systemd.resource-control(5)), and how each is written there, sent, and read back.
 */

export interface Property {
  /** Its name on D-Bus, where that differs. */
  readonly dbusName?: string;
  readonly kind: Kind;
  /** True for one that every unit type has. */
  readonly everyType?: boolean;
  /** True where systemd takes no 0. */
  readonly notZero?: boolean;
}

type Kind = "bytes" | "weight" | "cpu-weight" | "count" | "flag" | "quota" | "span" | "set" | "text" | readonly string[];

const INFINITY = 2n ** 64n - 1n;
/** Types with a cgroup of their own. */
const CGROUP_TYPES: readonly UnitType[] = ["service", "slice", "scope", "socket", "mount", "swap"];

export const PROPERTIES: Readonly<Record<string, Property>> = {
  Description: { kind: "text", everyType: true },
  CPUAccounting: { kind: "flag" },
  CPUWeight: { kind: "cpu-weight" },
  StartupCPUWeight: { kind: "cpu-weight" },
  CPUQuota: { kind: "quota", dbusName: "CPUQuotaPerSecUSec" },
  CPUQuotaPeriodSec: { kind: "span", dbusName: "CPUQuotaPeriodUSec", notZero: true },
  AllowedCPUs: { kind: "set" },
  StartupAllowedCPUs: { kind: "set" },
  AllowedMemoryNodes: { kind: "set" },
  StartupAllowedMemoryNodes: { kind: "set" },
  MemoryAccounting: { kind: "flag" },
  MemoryMin: { kind: "bytes" },
  MemoryLow: { kind: "bytes" },
  MemoryHigh: { kind: "bytes", notZero: true },
  MemoryMax: { kind: "bytes", notZero: true },
  MemorySwapMax: { kind: "bytes" },
  TasksAccounting: { kind: "flag" },
  TasksMax: { kind: "count", notZero: true },
  IOAccounting: { kind: "flag" },
  IOWeight: { kind: "weight" },
  StartupIOWeight: { kind: "weight" },
  IPAccounting: { kind: "flag" },
  DevicePolicy: { kind: ["auto", "closed", "strict"] },
  ManagedOOMSwap: { kind: ["auto", "kill"] },
  ManagedOOMMemoryPressure: { kind: ["auto", "kill"] },
  ManagedOOMPreference: { kind: ["none", "avoid", "omit"] },
};

export function propertyNames(unit: string): string[] {
  const cgroup = CGROUP_TYPES.includes(unitTypeOf(unit));
  return Object.keys(PROPERTIES).filter((name) => cgroup || PROPERTIES[name]?.everyType === true);
}

/** Where a property is read: interface and name on D-Bus. */
export function propertyAddress(unit: string, name: string): { interface: string; property: string } {
  const property = PROPERTIES[name];
  return {
    interface: property?.everyType === true ? UNIT_INTERFACE : interfaceOf(unit),
    property: property?.dbusName ?? name,
  };
}

/**
 * The one spelling of a declared value: bytes, counts and weights as numbers, "infinity", "50%", a set as "0-3,5". Throws a RangeError
 * saying what is allowed.
 */
export function normalValue(name: string, value: Json): Json {
  const kind = PROPERTIES[name]?.kind;
  if (kind === undefined) throw new RangeError("SetUnitProperties does not take it");
  return spelt(kind, value);
}

/** Throws a RangeError for what a host may have and nobody can declare: systemd would refuse it, or have it otherwise after a reload. */
export function assertDeclarable(name: string, value: Json): void {
  const normal = normalValue(name, value);
  const { kind, notZero } = PROPERTIES[name] ?? {};
  if (notZero === true && (normal === 0 || normal === "0s")) throw new RangeError("systemd takes no 0 for it");
  // SetUnitProperties writes whole percentages to its drop-in.
  if (kind === "quota" && String(normal).includes(".")) throw new RangeError('allowed is a whole percentage of one CPU, such as "50%"');
  if (kind === "text" && /^\s|\s$|\\$/.test(String(normal))) throw new RangeError("allowed is text without blanks around it or a backslash behind");
}

function spelt(kind: Kind, value: Json): Json {
  if (typeof kind !== "string") return oneOf(value, kind);
  switch (kind) {
    case "bytes":
      return unsigned(value, "bytes, such as 2147483648, \"2G\" or \"infinity\" (a percentage could not be read back)", sizeOf);
    case "count":
      return unsigned(value, "a count or \"infinity\" (a percentage could not be read back)", plain);
    case "weight":
    case "cpu-weight": {
      if (kind === "cpu-weight" && value === "idle") return "idle";
      const weight = unsigned(value, "a weight from 1 to 10000", plain);
      if (typeof weight !== "number" || weight < 1 || weight > 10_000) throw new RangeError("allowed is a weight from 1 to 10000");
      return weight;
    }
    case "flag":
      if (value === true || value === "yes" || value === "true") return true;
      if (value === false || value === "no" || value === "false") return false;
      throw new RangeError("allowed is true or false");
    case "quota": {
      const percent = typeof value === "string" ? /^(\d{1,9}(?:\.\d{1,2})?)%$/.exec(value)?.[1] : undefined;
      if (value === "infinity") return "infinity";
      if (percent === undefined || Number(percent) === 0) {
        throw new RangeError('allowed is a percentage of one CPU, such as "50%" or "200%", or "infinity"');
      }
      return `${Number(percent)}%`;
    }
    case "span":
      if (value === "infinity") throw new RangeError("allowed is a time; null stands for systemd's own");
      return spanText(unsigned(value, 'a time, such as "100ms" or "1s"', microseconds));
    case "set":
      return setText(numbersOf(value));
    case "text":
      if (typeof value !== "string" || !value.isWellFormed() || /\p{Cc}/u.test(value) || value === "") {
        throw new RangeError("allowed is one line of text");
      }
      return value;
  }
}

/** A normal value as SetUnitProperties takes it. */
export function toVariant(name: string, normal: Json): Variant {
  const kind = PROPERTIES[name]?.kind;
  if (kind === "flag") return { signature: "b", value: normal };
  if (kind === "set") return { signature: "ay", value: bitmap(numbersOf(normal)) };
  if (kind === "text" || typeof kind !== "string") return { signature: "s", value: normal };
  if (normal === "infinity") return { signature: "t", value: INFINITY };
  if (normal === "idle") return { signature: "t", value: 0n };
  if (kind === "quota") return { signature: "t", value: BigInt(Math.round(Number.parseFloat(String(normal)) * 10_000)) };
  if (kind === "span") return { signature: "t", value: microseconds(String(normal)) ?? 0n };
  return { signature: "t", value: BigInt(normal as number | string) };
}

/** What a property's value on D-Bus is in the one spelling. null: not set. */
export function fromDbus(name: string, value: unknown): Json {
  const kind = PROPERTIES[name]?.kind;
  if (kind === "set") {
    const text = setText([...(value as Uint8Array)].flatMap((byte, index) => bitsOf(byte).map((bit) => index * 8 + bit)));
    return text === "" ? null : text;
  }
  if (typeof value === "boolean" || typeof value === "string") return value;
  const number = BigInt(value as bigint | number);
  if (number === INFINITY) return kind === "weight" || kind === "cpu-weight" || kind === "span" ? null : "infinity";
  if (kind === "cpu-weight" && number === 0n) return "idle";
  if (kind === "quota") return `${Number(number) / 10_000}%`;
  if (kind === "span") return spanText(jsonInteger(number));
  return jsonInteger(number);
}

function oneOf(value: Json, allowed: readonly string[]): Json {
  if (typeof value === "string" && allowed.includes(value)) return value;
  throw new RangeError(`allowed is ${allowed.map((word) => `"${word}"`).join(" or ")}`);
}

function unsigned(value: Json, allowed: string, parse: (text: string) => bigint | undefined): Json {
  if (value === "infinity") return "infinity";
  const text = typeof value === "number" ? (Number.isSafeInteger(value) ? String(value) : undefined) : value;
  const parsed = typeof text === "string" ? parse(text) : undefined;
  if (parsed === undefined || parsed >= INFINITY) throw new RangeError(`allowed is ${allowed}`);
  return jsonInteger(parsed);
}

function plain(text: string): bigint | undefined {
  return /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}

/** systemd's sizes are to the base 1024. */
function sizeOf(text: string): bigint | undefined {
  const match = /^(\d{1,20})([KMGTPE]?)B?$/.exec(text);
  if (match === null) return undefined;
  return BigInt(match[1] ?? "") * 1024n ** BigInt(" KMGTPE".indexOf(match[2] || " "));
}

function microseconds(text: string): bigint | undefined {
  const match = /^(\d{1,15})(us|ms|s|)$/.exec(text);
  if (match === null) return undefined;
  const unit = match[2] === "us" ? 1n : match[2] === "ms" ? 1000n : 1_000_000n;
  return BigInt(match[1] ?? "") * unit;
}

function spanText(value: Json): Json {
  const micros = BigInt(value as number | string);
  if (micros % 1_000_000n === 0n) return `${micros / 1_000_000n}s`;
  return micros % 1000n === 0n ? `${micros / 1000n}ms` : `${micros}us`;
}

/** FORMATS.md: beyond what a JSON number holds exactly, an integer is a decimal string. */
function jsonInteger(value: bigint): Json {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

/** "0-3,5" or "0-3 5" as numbers, within systemd's 8192 CPUs. */
function numbersOf(value: Json): number[] {
  const text = typeof value === "number" ? String(value) : value;
  const parts = typeof text === "string" ? text.split(/[,\s]+/).filter(Boolean) : [];
  const numbers = parts.flatMap((part) => {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || first > last || last > 8191) throw new RangeError('allowed are numbers and ranges, such as "0-3,5"');
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  if (numbers.length === 0) throw new RangeError('allowed are numbers and ranges, such as "0-3,5"');
  return numbers;
}

function setText(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const number of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

function bitmap(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(Math.floor(Math.max(0, ...numbers) / 8) + 1);
  for (const number of numbers) bytes[number >> 3] = (bytes[number >> 3] ?? 0) | (1 << (number & 7));
  return bytes;
}

function bitsOf(byte: number): number[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0);
}
