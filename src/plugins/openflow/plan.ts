import { toJson } from "../../core/json.ts";
import { ownedMembers } from "../../core/ownership.ts";
import type { Action, Note, PluginPlan, Problem, Reading, ResourceReading, Step } from "../../core/plugin.ts";
import { sameValue, type OwnedResource, type OwnedResources, type Resources } from "../../core/resource.ts";
import { parseFlow, printFlow } from "../../protocols/openflow/flow-text.ts";
import type { PortNames } from "../../protocols/openflow/port-names.ts";
import { SpellingError } from "../../protocols/openflow/spelling-error.ts";
import type { BridgeAdvice, BridgeFacts, Call } from "./facts.ts";
import { identityOf, inOrder, NORMAL_FLOW } from "./flow-entry.ts";
import { namesIn } from "./names.ts";
import { dropsSsh } from "./risk.ts";
import type { DeclaredBridge } from "./section.ts";

/** Of flows that a note names. */
const MOST_NAMED = 3;

/** The difference between declared and actual bridges, as one step for each. */
export function planBridges(desired: Resources, actual: Reading, owned: OwnedResources): PluginPlan {
  const plans = Object.entries(desired).map(([name, resource]) => planBridge(name, resource as DeclaredBridge, { reading: actual.resources[name], owned: owned[name] }));
  const problems = plans.flatMap((plan) => plan.problems);
  const notes = plans.flatMap((plan) => plan.notes ?? []);
  return { steps: problems.length > 0 ? [] : plans.flatMap(({ steps }) => steps), problems, ...(notes.length === 0 ? {} : { notes }) };
}

interface Around {
  readonly reading: ResourceReading | undefined;
  readonly owned: OwnedResource | undefined;
}

interface Found extends Around {
  readonly reading: ResourceReading;
  readonly identify: Identify;
}

/** identityOf, which is asked of the same flows again and again. */
type Identify = (text: string) => string;

function planBridge(name: string, want: DeclaredBridge, { reading, owned }: Around): PluginPlan {
  const [key] = Object.keys(want);
  if (key === undefined) return { steps: [], problems: [] };
  if (reading === undefined || reading.state.state === "absent") {
    const hint = `Its flows can be declared once it is there: ovs-vsctl add-br ${name}`;
    return { steps: [], problems: [{ resource: name, path: [key], message: `There is no bridge '${name}'`, hint }] };
  }
  const { ports } = (reading.facts ?? { ports: {} }) as unknown as BridgeFacts;
  const { flows, problems, notes } = understood(name, want, { names: namesIn(ports), isWayBack: isWayBack(want, owned) });
  if (problems.length > 0) return { steps: [], problems };
  const identify = identities();
  const tables = tablesFor(want, flows, { reading, owned, identify });
  const mode = modeAction(name, want, reading);
  const step = stepFor(name, { want, tables, ports, mode, identify });
  const restarted = mode === undefined ? 0 : tables.passing.length;
  const message = `Temporary flows of '${name}' that others made (${restarted}) begin their time anew: its tables are emptied on the way`;
  if (restarted > 0) notes.push({ resource: name, message });
  return { steps: step === undefined ? [] : [step], problems, ...(notes.length === 0 ? {} : { notes }) };
}

/** The declared flows in the spelling that is compared. */
interface Understood {
  readonly present: readonly string[];
  readonly absent: readonly string[];
}

/** Whether what is wanted is what was there before op-dbus came. */
function isWayBack({ flows }: DeclaredBridge, owned: OwnedResource | undefined): boolean {
  return flows !== undefined && (owned?.keys ?? []).some(({ path, original }) => path.join() === "flows" && sameValue(original, flows));
}

interface Reader {
  readonly names: PortNames;
  readonly isWayBack: boolean;
}

/** Others' ports come and go: that the flow of one cannot be put back does not keep all others from it. */
function understood(name: string, want: DeclaredBridge, { names, isWayBack: back }: Reader): { flows: Understood; problems: Problem[]; notes: Note[] } {
  const problems: Problem[] = [];
  const notes: Note[] = [];
  const print = (key: "flows" | "absent") =>
    (want[key] ?? []).flatMap((text) => {
      try {
        return [printFlow(parseFlow(text, names), names)];
      } catch (error) {
        if (!(error instanceof SpellingError)) throw error;
        if (back) notes.push({ resource: name, message: `Flow '${text}' of bridge '${name}' is not put back: ${error.message}` });
        else problems.push({ resource: name, path: [key], message: `Flow '${text}' of bridge '${name}': ${error.message}` });
        return [];
      }
    });
  return { flows: { present: print("flows"), absent: print("absent") }, problems, notes };
}

/** What is in the tables, of that with which this plan has to do, and what is to be. */
interface Tables {
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Others' temporary flows, which stay. */
  readonly passing: readonly string[];
}

function identities(): Identify {
  const known = new Map<string, string>();
  return (text) => {
    const identity = known.get(text) ?? identityOf(text);
    known.set(text, identity);
    return identity;
  };
}

/** What op-dbus put there and is not listed any more goes; what others put there stays, unless it is declared absent or nothing else may be there. */
function tablesFor(want: DeclaredBridge, { present, absent }: Understood, { reading, owned, identify }: Found): Tables {
  const { temporary } = (reading.advice ?? { temporary: [] }) as unknown as BridgeAdvice;
  const ours = new Set((owned?.keys ?? []).flatMap((key) => (key.path.join() === "flows" ? ownedMembers(key).map((text) => identify(String(text))) : [])));
  const gone = new Set(absent.map(identify));
  const mine = (text: string) => ours.has(identify(text)) || gone.has(identify(text));
  const from = inOrder([...((reading.state.flows ?? []) as readonly string[]), ...temporary.filter(mine)]);
  const passing = temporary.filter((text) => !mine(text));
  const declared = new Set(present.map(identify));
  const stays = (text: string) => {
    const identity = identify(text);
    if (declared.has(identity) || gone.has(identity)) return false;
    return want.flows === undefined || (want.exclusive !== true && !ours.has(identity));
  };
  return { from, to: inOrder([...from.filter(stays), ...present]), passing };
}

function modeAction(name: string, { fail_mode }: DeclaredBridge, { state }: ResourceReading): Action | undefined {
  if (fail_mode === undefined || sameValue(state.fail_mode, fail_mode)) return undefined;
  const note = "Open vSwitch empties the bridge's tables with this: for a moment nothing passes, until they are filled again";
  return { resource: name, verb: "set", path: ["fail_mode"], from: state.fail_mode ?? null, to: fail_mode, risk: "high", note };
}

interface Change {
  readonly want: DeclaredBridge;
  readonly tables: Tables;
  readonly ports: BridgeFacts["ports"];
  readonly mode: Action | undefined;
  readonly identify: Identify;
}

/**
 * A change of fail_mode is in one step with the flows, which go with it: taken back, it must bring them back, and an op-dbus that was
 * killed in between must know what they were.
 */
function stepFor(name: string, { want, tables: { from, to, passing }, ports, mode, identify }: Change): Step | undefined {
  const remaining = new Set(to.map(identify));
  const [before, after] = [new Set(from), new Set(to)];
  const remove = from.filter((text) => !remaining.has(identify(text)));
  const add = to.filter((text) => !before.has(text));
  const changed = remove.length + add.length > 0;
  if (!changed && mode === undefined) return undefined;
  const whole = { fail_mode: want.fail_mode ?? null, remove: [], add: [...to, ...passing] };
  const call: Call = { bridge: name, ports, ...(mode === undefined ? { remove, add } : whole) };
  const risk = riskOf(want, { add, opened: from.includes(NORMAL_FLOW) && !after.has(NORMAL_FLOW) });
  const flows: Action = { resource: name, verb: changed ? "change" : "refill", path: ["flows"], from, to, ...risk };
  return { plugin: "openflow", name: "change flows", actions: [...(mode === undefined ? [] : [mode]), flows], call: toJson(call) };
}

/** What could be the operator's own way in is a risk. */
function riskOf({ exclusive }: DeclaredBridge, { add, opened }: { readonly add: readonly string[]; readonly opened: boolean }): Pick<Action, "risk" | "note"> {
  if (exclusive === true || opened) return { risk: "high", note: "what no flow lets through is dropped, ssh over this bridge too" };
  const catching = add.filter(dropsSsh);
  if (catching.length === 0) return { risk: "medium" };
  return { risk: "high", note: `drops ssh over this bridge too, where it matches: ${catching.slice(0, MOST_NAMED).join("; ")}` };
}
