import type { ActionContext, Argument } from "./action-context.ts";
import type { Action, PlainName } from "./action.ts";
import { parseConnection } from "./ct-text.ts";
import { output, parseOutput, parseTruncated } from "./output-words.ts";
import { CONTROLLER, IN_PORT, parsePort, shortPort } from "./port-names.ts";
import { transportOf } from "./prerequisites.ts";
import { parseLoad, parseMove, parseSetField, setField } from "./set-words.ts";
import { SpellingError } from "./spelling-error.ts";
import { numberIn, wideNumberIn } from "./text-numbers.ts";

/*
 * The words for actions, and what each is on the wire: ovs-actions(7). Pure.
 */

/** `within` reads the actions inside an argument. */
type Parse = (argument: Argument, context: ActionContext, within: (argument: Argument) => readonly Action[]) => readonly Action[];

const ETH_VLAN = 0x8100;
const VLAN_PRESENT = 0x1000n;
const ALL_TABLES = 0xff;
const NOTE_FIRST_BYTES = 6;

function bare(action: PlainName): Parse {
  return (argument) => {
    if (argument.form !== "none") throw new SpellingError(`'${argument.word}' takes no argument`, argument.at);
    return [{ action, numbers: [] }];
  };
}

function number(action: PlainName, what: string, most: number): Parse {
  return (argument) => [{ action, numbers: [numberIn(argument, { what, most })] }];
}

/** A word for which OpenFlow 1.4 has set_field. */
function sets(field: string): Parse {
  return (argument, context) => [setField(field, argument, context)];
}

function setsTransport(end: "src" | "dst"): Parse {
  return (argument, context) => {
    const transport = transportOf(context.match);
    if (transport === undefined) throw new SpellingError(`'${argument.word}' needs a match on tcp, udp or sctp`, argument.at);
    return [setField(`${transport}_${end}`, argument, context)];
  };
}

/** Sets a part of the VLAN tag; `mod_` makes the tag first where there is none. */
function setsVlan(field: "vlan_vid" | "vlan_pcp", push: boolean): Parse {
  return (argument, context) => {
    const value = BigInt(numberIn(argument, field === "vlan_vid" ? { what: "A VLAN", most: 0xfff } : { what: "A VLAN priority", most: 7 }));
    const pushed: Action[] = push && !context.hasVlan ? [{ action: "push_vlan", numbers: [ETH_VLAN] }] : [];
    context.hasVlan ||= push;
    return [...pushed, { action: "set_field", field, value: field === "vlan_vid" ? value | VLAN_PRESENT : value }];
  };
}

function refused(reason: string): Parse {
  return ({ word, at, form }) => {
    throw new SpellingError(`'${word}' is not supported: ${reason}`, form === "none" ? at : at - word.length - 1);
  };
}

/** Open vSwitch has them. */
const UNKNOWN_WORDS = ["bundle", "bundle_load", "multipath", "clone", "sample", "fin_timeout", "push", "pop", "encap", "decap", "check_pkt_larger", "delete_field"];

export const ACTION_WORDS: Readonly<Record<string, Parse>> = {
  output: (argument, { names }) => [argument.form === "parentheses" ? parseTruncated(argument, names) : parseOutput(argument, names)],
  controller: parseController,
  group: number("group", "A group", 0xffff_ff00),
  set_queue: number("set_queue", "A queue", 0xffff_ffff),
  pop_queue: bare("pop_queue"),
  enqueue: parseEnqueue,
  set_field: (argument, context) => parseSetField(argument, context),
  load: (argument) => [parseLoad(argument)],
  move: (argument) => [parseMove(argument)],
  mod_dl_src: sets("eth_src"),
  mod_dl_dst: sets("eth_dst"),
  mod_nw_src: sets("ip_src"),
  mod_nw_dst: sets("ip_dst"),
  mod_nw_tos: parseTos,
  mod_nw_ecn: sets("nw_ecn"),
  mod_nw_ttl: number("mod_nw_ttl", "A TTL", 0xff),
  mod_tp_src: setsTransport("src"),
  mod_tp_dst: setsTransport("dst"),
  mod_vlan_vid: setsVlan("vlan_vid", true),
  set_vlan_vid: setsVlan("vlan_vid", false),
  mod_vlan_pcp: setsVlan("vlan_pcp", true),
  set_vlan_pcp: setsVlan("vlan_pcp", false),
  push_vlan: (argument, context) => {
    context.hasVlan = true;
    return number("push_vlan", "A VLAN's type (0x8100 or 0x88a8)", 0xffff)(argument, context, () => []);
  },
  pop_vlan: popVlan,
  strip_vlan: popVlan,
  push_mpls: changesType("push_mpls"),
  pop_mpls: changesType("pop_mpls"),
  set_mpls_label: sets("mpls_label"),
  set_mpls_tc: sets("mpls_tc"),
  set_mpls_ttl: number("set_mpls_ttl", "A TTL", 0xff),
  dec_mpls_ttl: bare("dec_mpls_ttl"),
  dec_ttl: bare("dec_ttl"),
  set_tunnel: (argument) => [{ action: "set_field", field: "tun_id", value: wideNumberIn(argument, { what: "A tunnel", bits: 32 }) }],
  set_tunnel64: (argument) => [{ action: "set_field", field: "tun_id", value: wideNumberIn(argument, { what: "A tunnel", bits: 64 }) }],
  resubmit: parseResubmit,
  ct: parseConnection,
  ct_clear: bare("ct_clear"),
  conjunction: parseConjunction,
  note: parseNote,
  exit: bare("exit"),
  learn: refused("what it would add to the tables could not be told from what somebody else did"),
  nat: refused("addresses that connections were given are not in the flow"),
  ...Object.fromEntries(UNKNOWN_WORDS.map((word) => [word, refused("op-dbus does not know how to write it")])),
};

function parseController(argument: Argument): readonly Action[] {
  if (argument.form === "none") return [output(CONTROLLER)];
  if (argument.form === "colon") return [output(CONTROLLER, numberIn(argument, { what: "A length", most: 0xffff }))];
  throw new SpellingError("'controller(…)' is not supported: op-dbus knows CONTROLLER and CONTROLLER:BYTES", argument.at);
}

function popVlan(argument: Argument, context: ActionContext): readonly Action[] {
  context.hasVlan = false;
  return bare("pop_vlan")(argument, context, () => []);
}

function changesType(action: "push_mpls" | "pop_mpls"): Parse {
  return (argument, context, within) => {
    context.typeKnown = false;
    return number(action, "An Ethernet type", 0xffff)(argument, context, within);
  };
}

function parseEnqueue({ text, at }: Argument, { names }: ActionContext): readonly Action[] {
  const [port = "", queue = "", ...more] = text.split(/[:,]/);
  if (more.length > 0 || queue === "") throw new SpellingError(`'${text}' is not written as PORT:QUEUE`, at);
  const numbers = [numberIn({ text: queue, at: at + port.length + 1 }, { what: "A queue", most: 0xffff_ffff })];
  return [{ action: "set_queue", numbers }, output(parsePort(port, names, at), 0xffff), { action: "pop_queue", numbers: [] }];
}

function parseTos(argument: Argument, context: ActionContext): readonly Action[] {
  const tos = numberIn(argument, { what: "nw_tos", most: 0xff });
  if ((tos & 3) !== 0) throw new SpellingError(`'${argument.text}' has bits of nw_ecn: nw_tos is a multiple of 4`, argument.at);
  return [setField("ip_dscp", { ...argument, text: String(tos >> 2) }, context)];
}

function parseResubmit({ text, at, form, word }: Argument, { names }: ActionContext): readonly Action[] {
  if (form === "none" || /^,?$/.test(text)) throw new SpellingError(`'${word}' needs a port, a table or both: resubmit(PORT,TABLE)`, at);
  const [port = "", table, ct, ...more] = text.split(",");
  if (more.length > 0 || (ct !== undefined && ct !== "ct") || (form === "colon" && table !== undefined)) {
    throw new SpellingError(`'${text}' is not written as resubmit(PORT,TABLE) or resubmit(PORT,TABLE,ct)`, at);
  }
  const short = shortPort(port === "" ? IN_PORT : parsePort(port, names, at));
  const number = table === undefined || table === "" ? ALL_TABLES : numberIn({ text: table, at: at + port.length + 1 }, { what: "A table", most: 254 });
  if (ct !== undefined) return [{ action: "resubmit_ct", numbers: [short, number] }];
  return [number === ALL_TABLES ? { action: "resubmit", numbers: [short] } : { action: "resubmit_table", numbers: [short, number] }];
}

function parseConjunction({ text, at }: Argument): readonly Action[] {
  const [, id = "", clause = "", count = ""] = /^\s*(\w+)\s*,\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text) ?? [];
  const [k, n] = [Number(clause), Number(count)];
  if (id === "" || k < 1 || k > n || n < 2 || n > 64) throw new SpellingError(`'${text}' is not written as conjunction(ID,K/N) with 1 <= K <= N and 2 <= N <= 64`, at);
  return [{ action: "conjunction", numbers: [k - 1, n, numberIn({ text: id, at }, { what: "A conjunction", most: 0xffff_ffff })] }];
}

/** Open vSwitch keeps a note with the zeros that fill it up. */
function parseNote({ text, at }: Argument): readonly Action[] {
  const hex = text.replaceAll(".", "");
  const given = Buffer.from(hex, "hex");
  if (given.toString("hex") !== hex.toLowerCase() || given.length > 4096) throw new SpellingError(`'${text}' is not bytes in hexadecimal`, at);
  const bytes = new Uint8Array(given.length <= NOTE_FIRST_BYTES ? NOTE_FIRST_BYTES : given.length + (-(given.length - NOTE_FIRST_BYTES) & 7));
  bytes.set(given);
  return [{ action: "note", bytes }];
}
