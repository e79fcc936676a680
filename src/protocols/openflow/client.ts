import { messageOf, OpError } from "../../core/errors.ts";
import { listFolder } from "../../sys/files.ts";
import type { Bridge, Bridges } from "./bridge.ts";
import { ATOMIC_AND_ORDERED, BUNDLE, bundleAdd, bundleControl, bundleControlOf } from "./bundle.ts";
import { decodeError, describeError, openflowError, type ErrorReply } from "./errors.ts";
import { decodeFeatures, type Features } from "./features.ts";
import { printFlow } from "./flow-text.ts";
import { decodeFlowStats, encodeFlowMod, encodeFlowStatsRequest, type FlowMod, type FlowStats } from "./flow.ts";
import { NoCommonVersion, openLink, type Link } from "./link.ts";
import { MESSAGE_LIMIT_BYTES, OF13, TYPES, type Message } from "./message.ts";
import { decodePart, encodePart, MULTIPART } from "./multipart.ts";
import { NUMBERS_ONLY } from "./port-names.ts";
import { decodePorts, type Port } from "./port.ts";

export interface BridgesOptions {
  /** Where ovs-vswitchd has its sockets, instead of OVS_RUNDIR and the usual place. */
  readonly folder?: string;
  /** How long a bridge may go without answering. */
  readonly timeoutMs?: number;
}

const USUAL_FOLDER = "/run/openvswitch";
const SOCKET_SUFFIX = ".mgmt";
const TIMEOUT_MS = 10_000;
/** More than any bridge is meant to have. */
const [FLOW_LIMIT, PORT_LIMIT, PART_LIMIT] = [1_000_000, 0x1_0000, 100_000];
/** What is left of a message for a flow in a bundle. */
const FLOW_MOD_LIMIT_BYTES = MESSAGE_LIMIT_BYTES - 64;
/** Errors that are kept, and that are told. */
const [ERROR_LIMIT, MOST_TOLD] = [1_000, 10];

/** The bridges of this host's Open vSwitch, by their management sockets. */
export function openBridges({ folder = process.env.OVS_RUNDIR || USUAL_FOLDER, timeoutMs = TIMEOUT_MS }: BridgesOptions = {}): Bridges {
  return {
    open: (name) => new Client(name, `${folder}/${name}${SOCKET_SUFFIX}`, timeoutMs),
    names: async () => listFolder(folder).filter((file) => file.endsWith(SOCKET_SUFFIX)).map((file) => file.slice(0, -SOCKET_SUFFIX.length)).sort(),
  };
}

/** The one implementation of Bridge: connects when it is first needed. What is asked together is asked one after the other. */
class Client implements Bridge {
  readonly name: string;
  readonly #path: string;
  readonly #timeoutMs: number;
  #link: Link | undefined;
  #ended: OpError | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #bundle = 0;

  constructor(name: string, path: string, timeoutMs: number) {
    this.name = name;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  get counts(): Bridge["counts"] {
    return this.#link?.counts ?? { reads: 0, writes: 0 };
  }

  features(): Promise<Features> {
    return this.#turn(async (link) => {
      const xid = link.xids(1);
      let features: Features | undefined;
      await link.exchange([{ version: link.version, type: TYPES.FEATURES_REQUEST, xid, body: new Uint8Array() }], {
        first: xid,
        timeoutMs: this.#timeoutMs,
        take: (message) => {
          this.#checked(message);
          if (message.type === TYPES.FEATURES_REPLY) features = decodeFeatures(message.body);
          return features !== undefined;
        },
      });
      if (features === undefined) throw new TypeError("An exchange ended without its answer");
      return features;
    });
  }

  flows(): Promise<FlowStats[]> {
    return this.#turn(async (link) => {
      const flows: FlowStats[] = [];
      await this.#parts(link, { type: MULTIPART.FLOW, body: encodeFlowStatsRequest() }, (body) => {
        for (const flow of decodeFlowStats(link.version, body)) flows.push(flow);
        this.#limit(flows.length, FLOW_LIMIT, "flows");
      });
      return flows;
    });
  }

  ports(): Promise<Port[]> {
    return this.#turn(async (link) => {
      const ports: Port[] = [];
      await this.#parts(link, { type: MULTIPART.PORT_DESC, body: new Uint8Array() }, (body) => {
        ports.push(...decodePorts(link.version, body));
        this.#limit(ports.length, PORT_LIMIT, "ports");
      });
      return ports;
    });
  }

  change(mods: readonly FlowMod[]): Promise<void> {
    return mods.length === 0 ? Promise.resolve() : this.#turn((link) => this.#change(link, mods));
  }

  close(): void {
    this.#end(new OpError("unavailable", `The connection to bridge '${this.name}' was closed`));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #limit(count: number, most: number, what: string): void {
    if (count > most) throw new OpError("failed", `Bridge '${this.name}' told of more than ${most} ${what}`);
  }

  #checked(message: Message): void {
    if (message.type === TYPES.ERROR) throw openflowError(decodeError(message.body), `Reading bridge '${this.name}'`);
  }

  /** Asks for something in parts. */
  async #parts(link: Link, { type, body }: { readonly type: number; readonly body: Uint8Array }, take: (body: Uint8Array) => void): Promise<void> {
    const xid = link.xids(1);
    let parts = 0;
    const request = { version: link.version, type: TYPES.MULTIPART_REQUEST, xid, body: encodePart({ type, more: false, body }) };
    await link.exchange([request], {
      first: xid,
      timeoutMs: this.#timeoutMs,
      take: (message) => {
        this.#checked(message);
        if (message.type !== TYPES.MULTIPART_REPLY) return false;
        this.#limit((parts += 1), PART_LIMIT, "parts of an answer");
        const part = decodePart(message.body);
        if (part.type === type) take(part.body);
        return part.type === type && !part.more;
      },
    });
  }

  /**
   * Nothing is committed before the bridge has taken every change without an error: one that it cannot read would otherwise be left out
   * and the rest made.
   */
  async #change(link: Link, mods: readonly FlowMod[]): Promise<void> {
    const { version } = link;
    if (version === OF13 && mods.some(({ flow }) => flow.importance !== 0)) {
      throw new OpError("unavailable", `Bridge '${this.name}' speaks OpenFlow13, which has no importance of flows`);
    }
    const bundle = (this.#bundle += 1);
    const open = link.xids(mods.length + 2);
    const first = open + 1;
    const adds = mods.map((mod, index) => {
      const body = encodeFlowMod(version, mod);
      if (body.length > FLOW_MOD_LIMIT_BYTES) throw new OpError("invalid", `Bridge '${this.name}': a flow of ${body.length} bytes is more than a message can hold`);
      return bundleAdd(version, bundle, { version, type: TYPES.FLOW_MOD, xid: first + index, body });
    });
    const control = (xid: number, what: number) => bundleControl(version, xid, { bundle, control: what, flags: ATOMIC_AND_ORDERED });
    const fail = (errors: readonly Failure[]) => this.#failure(errors.map(({ xid, reply }) => ({ reply, mod: mods[xid - first] })));
    const { errors } = await this.#untilBarrier(link, [control(open, BUNDLE.OPEN_REQUEST), ...adds], { first: open, barrier: first + mods.length });
    if (errors.length > 0) {
      const discard = link.xids(2);
      await this.#untilBarrier(link, [control(discard, BUNDLE.DISCARD_REQUEST)], { first: discard, barrier: discard + 1 });
      throw fail(errors);
    }
    const commit = link.xids(2);
    const outcome = await this.#untilBarrier(link, [control(commit, BUNDLE.COMMIT_REQUEST)], { first: open, barrier: commit + 1 });
    if (outcome.errors.length > 0) throw fail(outcome.errors);
    if (!outcome.committed) throw new OpError("failed", `Bridge '${this.name}' did not say that it has made the changes`);
  }

  /** Sends messages and a barrier, and gathers what the bridge has to say until the barrier's reply. */
  async #untilBarrier(link: Link, messages: readonly Message[], { first, barrier }: { readonly first: number; readonly barrier: number }): Promise<Outcome> {
    const errors: Failure[] = [];
    let committed = false;
    await link.exchange([...messages, { version: link.version, type: TYPES.BARRIER_REQUEST, xid: barrier, body: new Uint8Array() }], {
      first,
      timeoutMs: this.#timeoutMs,
      take: (message) => {
        if (message.type === TYPES.ERROR && errors.length < ERROR_LIMIT) errors.push({ xid: message.xid, reply: decodeError(message.body) });
        else if (bundleControlOf(message)?.control === BUNDLE.COMMIT_REPLY) committed = true;
        return message.type === TYPES.BARRIER_REPLY && message.xid === barrier;
      },
    });
    return { errors, committed };
  }

  /** The error about a flow says more than the one about the bundle that it was in. */
  #failure(failures: readonly { readonly reply: ErrorReply; readonly mod: FlowMod | undefined }[]): OpError {
    const spoken = (mod: FlowMod | undefined) => (mod === undefined ? "the bundle" : `${mod.command} ${printFlow(mod.flow, NUMBERS_ONLY)}`);
    const texts = failures.map(({ reply, mod }) => ({ reply, mod, operation: `Bridge '${this.name}': ${spoken(mod)}` }));
    const [told, ...more] = [...texts.filter(({ mod }) => mod !== undefined), ...texts.filter(({ mod }) => mod === undefined)];
    if (told === undefined) throw new TypeError("No error to tell");
    const error = openflowError(told.reply, told.operation);
    const details = more.filter(({ mod }) => mod !== undefined).slice(0, MOST_TOLD).map(({ operation, reply }) => `${operation}: ${describeError(reply)}`);
    return new OpError(error.kind, error.message, { operation: told.operation, details, cause: error });
  }

  /** Waits for what was asked before. */
  async #turn<T>(ask: (link: Link) => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      const link = await this.#connected();
      return await ask(link).catch((error: unknown) => {
        throw error === link.ended && error instanceof Error ? this.#lost(error) : error;
      });
    } finally {
      resolve();
    }
  }

  async #connected(): Promise<Link> {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#link !== undefined) return this.#link;
    if (!/^[^/\0]+$/.test(this.name)) throw new OpError("invalid", `${JSON.stringify(this.name)} cannot be the name of a bridge`);
    this.#link = await openLink(this.#path, this.#timeoutMs).catch((error: unknown) => {
      throw error instanceof Error ? this.#lost(error) : error;
    });
    if (this.#ended !== undefined) this.#link.end(this.#ended);
    return this.#link;
  }

  #lost(error: Error): OpError {
    if (error instanceof OpError) return error;
    const lost = error instanceof NoCommonVersion ? this.#otherVersion(error) : this.#unreachable(error);
    this.#end(lost);
    return lost;
  }

  #otherVersion(error: NoCommonVersion): OpError {
    return new OpError("unavailable", `Bridge '${this.name}' ${messageOf(error)}; op-dbus speaks OpenFlow14 and OpenFlow13`, {
      cause: error,
      hint: `Allow it with 'ovs-vsctl add bridge ${this.name} protocols OpenFlow13 OpenFlow14'`,
    });
  }

  #unreachable(error: Error): OpError {
    return new OpError("unavailable", `Bridge '${this.name}': ${this.#path} ${error.message}`, {
      cause: error,
      hint: `'ovs-vsctl br-exists ${this.name}' tells whether there is such a bridge; Open vSwitch is the service openvswitch-switch`,
      retryable: true,
    });
  }

  #end(reason: OpError): void {
    this.#ended ??= reason;
    this.#link?.end(reason);
  }
}

interface Outcome {
  readonly errors: readonly Failure[];
  readonly committed: boolean;
}

/** An error, and the number of the message that it is about. */
interface Failure {
  readonly xid: number;
  readonly reply: ErrorReply;
}
