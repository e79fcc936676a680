import { nearest } from "../../core/suggestion.ts";
import type { Form } from "./fields.ts";
import { SpellingError } from "./spelling-error.ts";

/*
 * Values that are sets of named bits: ovs-fields(7), "+flag-flag" for those that must and must not be set, "flag|flag" for all. Pure.
 */

interface FlagSet {
  /** By bit, from the lowest. */
  readonly names: readonly string[];
  /** The mask that means all bits. */
  readonly all: bigint;
}

const SETS: Partial<Record<Form, FlagSet>> = {
  ct_state: { names: ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"], all: 0xffn },
  tcp_flags: { names: ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]"], all: 0xfffn },
};

export interface Bits {
  readonly value: bigint;
  readonly mask?: bigint;
}

/** Undefined where the form is not one of flags, or the bits are not all named. */
export function printFlags(form: Form, { value, mask }: Bits): string | undefined {
  const set = SETS[form];
  if (set === undefined) return undefined;
  const counted = mask ?? set.all;
  if (((value | counted) & ~set.all) !== 0n) return undefined;
  const named = set.names.map((name, bit) => ({ name, bit: 1n << BigInt(bit) })).filter(({ bit }) => (counted & bit) !== 0n);
  if (counted !== set.all) return named.map(({ name, bit }) => `${value & bit ? "+" : "-"}${name}`).join("");
  return named.filter(({ bit }) => value & bit).map(({ name }) => name).join("|") || "0";
}

/** Undefined where the form is not one of flags, or the text is a number. Throws SpellingError. */
export function parseFlags(form: Form, text: string, at: number): Bits | undefined {
  const set = SETS[form];
  if (set === undefined || /^\d/.test(text)) return undefined;
  const signed = /^[+-]/.test(text);
  if (signed && !/^([+-][^+-]+)+$/.test(text)) throw new SpellingError(`'${text}' is not written as +flag-flag`, at);
  const parts = signed ? [...text.matchAll(/([+-])([^+-]+)/g)].map(([, sign, name]) => ({ sign, name: name ?? "" })) : text.split("|").map((name) => ({ sign: "+", name }));
  let [value, mask] = [0n, 0n];
  for (const { sign, name } of parts) {
    const index = set.names.indexOf(name);
    const meant = nearest(name, set.names);
    if (index < 0) throw new SpellingError(`'${name}' is not one of ${set.names.join(", ")}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`, at);
    const bit = 1n << BigInt(index);
    if (mask & bit) throw new SpellingError(`'${name}' is written twice`, at);
    mask |= bit;
    if (sign === "+") value |= bit;
  }
  return signed && mask !== set.all ? { value, mask } : { value };
}
