import { parseFlow, printFlow } from "../../protocols/openflow/flow-text.ts";
import { portNames, type PortNames } from "../../protocols/openflow/port-names.ts";
import { SpellingError } from "../../protocols/openflow/spelling-error.ts";

/** Ports by name. */
export type Ports = Readonly<Record<string, number>>;

/** From here downwards, numbers stand for names that nobody knows. */
const LAST_PORT = 0xfeff;
const NAME = /^[A-Za-z_][\w.-]*$/;

/** Takes every name for a port's and gives it back: for a flow whose bridge is not to be asked. */
export function anyNames(): PortNames {
  const names: string[] = [];
  return {
    numberOf(name) {
      if (!NAME.test(name)) return undefined;
      if (!names.includes(name)) names.push(name);
      return LAST_PORT - names.indexOf(name);
    },
    nameOf: (port) => names[LAST_PORT - port],
  };
}

/** The names of a bridge's ports. */
export function namesIn(ports: Ports): PortNames {
  return portNames(Object.entries(ports).map(([name, port]) => ({ name, port })));
}

/** A flow in the one spelling that is compared. Throws SpellingError. */
export function printed(flow: string, names: PortNames): string {
  return printFlow(parseFlow(flow, names), names);
}

/** Likewise; undefined for what is no flow. */
export function printedOrNot(flow: string, names: PortNames): string | undefined {
  try {
    return printed(flow, names);
  } catch (error) {
    if (error instanceof SpellingError) return undefined;
    throw error;
  }
}

/** Declared flows as they are printed, without those that are none, and the ports that they mean by name or by number. */
export function understoodWith(flows: readonly string[], ports: Ports): { readonly flows: readonly string[]; readonly ports: Ports } {
  const all = namesIn(ports);
  const meant = new Set<string>();
  const noted = (name: string | undefined) => {
    if (name !== undefined) meant.add(name);
    return name;
  };
  const listening: PortNames = {
    numberOf: (name) => (all.numberOf(name) === undefined ? undefined : all.numberOf(noted(name) ?? name)),
    nameOf: (port) => noted(all.nameOf(port)),
  };
  const understood = flows.flatMap((flow) => printedOrNot(flow, listening) ?? []);
  return { flows: understood, ports: Object.fromEntries(Object.entries(ports).filter(([name]) => meant.has(name))) };
}
