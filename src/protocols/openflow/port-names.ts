import { nearest } from "../../core/suggestion.ts";
import { SpellingError } from "./spelling-error.ts";

/*
 * Ports by number and name: OpenFlow 1.4, 7.2.1.2 "Port Numbering", as ovs-ofctl(8) spells it, "OpenFlow Syntax". Pure.
 */

/** The names that a bridge's ports have now. */
export interface PortNames {
  numberOf(name: string): number | undefined;
  /** Undefined for a port whose name could be taken for something else. */
  nameOf(port: number): string | undefined;
}

export const CONTROLLER = 0xffff_fffd;
export const IN_PORT = 0xffff_fff8;
export const ANY = 0xffff_ffff;

const RESERVED: Readonly<Record<string, number>> = {
  ...{ IN_PORT, TABLE: 0xffff_fff9, NORMAL: 0xffff_fffa, FLOOD: 0xffff_fffb, ALL: 0xffff_fffc },
  ...{ CONTROLLER, LOCAL: 0xffff_fffe, ANY },
};
const RESERVED_NAMES = new Map(Object.entries(RESERVED).map(([name, port]) => [port, name]));
/** Above these there are only reserved ports: in the 32 bits of the wire, and in the 16 that Open vSwitch counts in. */
const [LAST_PORT, LAST_16_BIT] = [0xfeff, 0xffff];
const RESERVED_OFFSET = 0xffff_0000;

/** No names: ports are numbers. */
export const NUMBERS_ONLY: PortNames = { numberOf: () => undefined, nameOf: () => undefined };

/** The names of `ports`; of two ports with one name neither has it. */
export function portNames(ports: readonly { readonly port: number; readonly name: string }[]): PortNames {
  const [numbers, names] = [new Map<string, number>(), new Map<number, string>()];
  const twice = new Set<string>();
  for (const { port, name } of ports) {
    if (numbers.has(name)) twice.add(name);
    numbers.set(name, port);
    names.set(port, name);
  }
  return {
    numberOf: (name) => (twice.has(name) ? undefined : numbers.get(name)),
    nameOf: (port) => {
      const name = names.get(port);
      return name === undefined || twice.has(name) || !/^[A-Za-z_][\w.-]*$/.test(name) || reservedPort(name) !== undefined ? undefined : name;
    },
  };
}

export function printPort(port: number, names: PortNames): string {
  return RESERVED_NAMES.get(port) ?? names.nameOf(port) ?? String(port);
}

/** A number, a reserved name in any case, or a port's name, which may stand in double quotes. */
export function parsePort(text: string, names: PortNames, at: number): number {
  const port = portOf(text, names);
  if (port !== undefined) return port;
  const meant = nearest(text, Object.keys(RESERVED));
  throw new SpellingError(`There is no port '${text}'${meant === undefined ? "" : ` (did you mean ${meant}?)`}`, at);
}

/** As `parsePort`; undefined for what is no port. */
export function portOf(text: string, names: PortNames): number | undefined {
  if (/^(\d+|0x[\da-f]+)$/i.test(text)) return portNumber(Number(text));
  return reservedPort(text) ?? names.numberOf(/^".*"$/.test(text) ? text.slice(1, -1) : text);
}

/** A reserved port as the 16 bits of Open vSwitch's own actions have it, and back. */
export function shortPort(port: number): number {
  return port & 0xffff;
}

export function longPort(port: number): number {
  return port > LAST_PORT ? RESERVED_OFFSET + port : port;
}

function portNumber(number: number): number | undefined {
  const port = number > LAST_PORT && number <= LAST_16_BIT ? longPort(number) : number;
  return port <= LAST_PORT || RESERVED_NAMES.has(port) ? port : undefined;
}

function reservedPort(text: string): number | undefined {
  const name = text.toUpperCase() === "NONE" ? "ANY" : text.toUpperCase();
  return Object.hasOwn(RESERVED, name) ? RESERVED[name] : undefined;
}
