import { codeOf, messageOf, OpError } from "../../core/errors.ts";
import { isThere } from "../../sys/files.ts";
import { localAddress, nameOf, remoteOf, type Remote } from "./address.ts";
import { ovsdbError } from "./errors.ts";
import { isWireList, ProtocolViolation, type Wire } from "./json.ts";
import { openLink, type Link } from "./link.ts";
import type { Request } from "./message.ts";
import { encodeOperation, type Operation } from "./operation.ts";
import type { Monitor, Ovsdb, TransactOptions } from "./ovsdb.ts";
import { decodeSchema, type DatabaseSchema } from "./schema.ts";
import type { TlsKeys } from "./socket.ts";
import { readResults, type Result } from "./transaction.ts";
import { UpdateQueue } from "./update-queue.ts";
import type { TableUpdates } from "./updates.ts";

export interface OvsdbOptions {
  /** As ovs-vsctl's --db has it; without it the local server's socket, in OVS_RUNDIR or /run/openvswitch. */
  readonly address?: string;
  readonly database?: string;
  /** Needed for an address that begins with "ssl:". */
  readonly tls?: TlsKeys;
  /** How long the server may take to answer. */
  readonly timeoutMs?: number;
  /** How long it may take to let us in. */
  readonly connectTimeoutMs?: number;
  /** How long it may be silent before it is asked for an echo, and how long it has for that. */
  readonly idleMs?: number;
}

const TIMEOUT_MS = 25_000;
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_MS = 5_000;

/** Ours to close, and nothing is wrong with the server. */
const CLOSED = new Error("cannot answer, the connection was closed");

/** A database, connected to by the first request. Throws kind invalid for an address that is none. Once the connection has ended it stays so. */
export function openOvsdb(options: OvsdbOptions = {}): Ovsdb {
  return new Client(options);
}

/** The database of the Open vSwitch of this host, or undefined where none has left its socket. */
export function openLocalOvsdb(): Ovsdb | undefined {
  const address = localAddress(process.env.OVS_RUNDIR);
  return isThere(address.slice("unix:".length)) ? openOvsdb({ address }) : undefined;
}

class Client implements Ovsdb {
  readonly closed: Promise<OpError | undefined>;
  readonly #options: OvsdbOptions;
  readonly #remote: Remote;
  readonly #database: string;
  readonly #resolveClosed: (reason: OpError | undefined) => void;
  readonly #queues = new Map<Wire, UpdateQueue>();
  #connecting: Promise<Link> | undefined;
  #link: Link | undefined;
  #ended: OpError | undefined;
  #monitors = 0;

  constructor(options: OvsdbOptions) {
    this.#options = options;
    this.#remote = remoteOf(options.address ?? localAddress(process.env.OVS_RUNDIR));
    this.#database = options.database ?? "Open_vSwitch";
    const { promise, resolve } = Promise.withResolvers<OpError | undefined>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  get counts(): Ovsdb["counts"] {
    return this.#link?.counts ?? { reads: 0, writes: 0 };
  }

  async databases(): Promise<readonly string[]> {
    return await this.#ask({ method: "list_dbs", params: [] }, decodeDatabases);
  }

  async schema(): Promise<DatabaseSchema> {
    return await this.#ask({ method: "get_schema", params: [this.#database] }, decodeSchema);
  }

  async transact(operations: readonly Operation[], { timeoutMs }: TransactOptions = {}): Promise<readonly Result[]> {
    const params = [this.#database, ...operations.map(encodeOperation)];
    return await this.#ask({ method: "transact", params }, (answer) => readResults(operations, answer), timeoutMs);
  }

  async monitor(columns: Readonly<Record<string, readonly string[]>>): Promise<Monitor> {
    const id = `monitor-${(this.#monitors += 1)}`;
    const cancel = async (): Promise<void> => {
      // When the connection ends first, its monitors end with it.
      if (this.#queues.delete(id)) await this.#ask({ method: "monitor_cancel", params: [id] }, () => undefined).catch(() => undefined);
    };
    const queue = new UpdateQueue(() => void cancel());
    this.#queues.set(id, queue);
    const requests = Object.fromEntries(Object.entries(columns).map(([table, names]) => [table, { columns: names }]));
    try {
      await this.#ask({ method: "monitor", params: [this.#database, id, requests] }, (initial) => queue.begin(initial));
    } catch (error) {
      this.#queues.delete(id);
      throw error;
    }
    return {
      [Symbol.asyncIterator]: (): AsyncIterator<TableUpdates> => queue,
      async [Symbol.asyncDispose]() {
        queue.end(undefined);
        await cancel();
      },
    };
  }

  close(): void {
    this.#end(undefined);
  }

  async #ask<T>(request: Request, decode: (answer: Wire) => T, timeoutMs = this.#options.timeoutMs ?? TIMEOUT_MS): Promise<T> {
    const link = await this.#connected();
    const answer = await link.exchange(request, timeoutMs).catch((why: Error) => {
      throw this.#lost(why, request, link.ended !== undefined);
    });
    if (answer.kind === "error") throw ovsdbError(answer.error, `${request.method} on ${this.#database}`);
    try {
      return decode(answer.result);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      const why = new Error(`sent what is not OVSDB: ${error.message}`, { cause: error });
      link.end(why);
      throw this.#lost(why);
    }
  }

  async #connected(): Promise<Link> {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#link !== undefined) return this.#link;
    this.#connecting ??= this.#open().catch((error: unknown) => {
      this.#end(error instanceof OpError ? error : this.#lost(error instanceof Error ? error : new Error(String(error))));
      throw this.#ended;
    });
    return await this.#connecting;
  }

  async #open(): Promise<Link> {
    const { tls, connectTimeoutMs = CONNECT_TIMEOUT_MS, idleMs = IDLE_MS } = this.#options;
    const link = await openLink({ remote: this.#remote, tls, connectTimeoutMs, idleMs, onUpdate: (params, length) => this.#update(params, length) });
    if (this.#ended !== undefined) {
      link.end(this.#ended);
      throw this.#ended;
    }
    void link.closed.then((why) => this.#end(this.#lost(why)));
    this.#link = link;
    return link;
  }

  #update([id, updates]: readonly Wire[], length: number): void {
    this.#queues.get(id ?? null)?.push(updates, length);
  }

  /** What to say of a server that is not there, or no more; or that is there and did not answer. */
  #lost(why: Error, request?: Request, ended = true): OpError {
    const about = request === undefined ? "" : `: ${request.method}`;
    const hint = ended && this.#remote.kind === "unix" ? hintFor(why) : undefined;
    return new OpError("unavailable", `ovsdb-server at ${nameOf(this.#remote)} ${messageOf(why)}${about}`, {
      ...(request === undefined ? {} : { operation: request.method }),
      ...(hint === undefined ? {} : { hint }),
      cause: why,
      retryable: true,
    });
  }

  #end(reason: OpError | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason ?? new OpError("unavailable", "The connection was closed");
    this.#link?.end(CLOSED);
    for (const queue of this.#queues.values()) queue.end(this.#ended);
    this.#queues.clear();
    this.#resolveClosed(reason);
  }
}

function hintFor(why: Error): string | undefined {
  if (why === CLOSED || why.cause instanceof ProtocolViolation) return undefined;
  return codeOf(why.cause) === "EACCES" ? "The database's socket is root's" : "Start Open vSwitch with 'systemctl start openvswitch-switch'";
}

/** RFC 7047 4.1.1. */
function decodeDatabases(wire: Wire): readonly string[] {
  if (!isWireList(wire) || !wire.every((name) => typeof name === "string")) throw new ProtocolViolation("databases that are no list of names");
  return wire;
}
