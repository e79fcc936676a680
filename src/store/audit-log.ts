import { OpError } from "../core/errors.ts";
import type { Actor, AuditEntry, AuditEvent, AuditReader, AuditSink, Clock } from "../core/ports.ts";
import type { HostIdentity } from "../sys/host-identity.ts";
import { ENTRY_LIMIT_BYTES, endOfChain, linesAfter, readChain, type ChainEnd } from "./audit-chain.ts";
import type { Reserve } from "./reserve.ts";
import type { StateDirectory } from "./state-directory.ts";

/** Who writes, where, and by which clock. */
export interface Witness {
  readonly clock: Clock;
  readonly actor: Actor;
  readonly host: HostIdentity;
}

/** The last batch's last entry is in it, with a torn entry after it; a batch that began before it is looked up in the whole file. */
const TAIL_BYTES = 2 * (ENTRY_LIMIT_BYTES + 1);

/** The audit log as a chain of lines in one file. Who appends holds the lock; who reads need not. */
export class ChainedAuditLog implements AuditSink, AuditReader {
  readonly #directory: StateDirectory;
  readonly #reserve: Reserve;
  readonly #witness: Witness;
  readonly #path: string;

  constructor(directory: StateDirectory, reserve: Reserve, witness: Witness) {
    this.#directory = directory;
    this.#reserve = reserve;
    this.#witness = witness;
    this.#path = directory.paths.auditLog;
  }

  /** One write and one sync for all of them. Throws kind integrity, and adds nothing, to a chain whose end does not verify. */
  async append(events: readonly AuditEvent[]): Promise<void> {
    if (events.length === 0) return;
    const end = this.#end();
    const text = linesAfter(end, events.map((event) => this.#signed(event)));
    this.#reserve.attempt(() => this.#write(end, text), { entitled: events.some(isOfTheWayBack) });
  }

  async reserve(): Promise<void> {
    this.#reserve.set();
  }

  async free(): Promise<void> {
    this.#reserve.free();
  }

  entries(): readonly AuditEntry[] {
    return readChain(this.#directory.readBytes(this.#path) ?? Buffer.alloc(0), this.#path);
  }

  /** Opened anew each time, at the length that was just read: another process may have appended since. */
  #write({ length }: ChainEnd, text: string): void {
    using file = this.#directory.open(this.#directory.paths.timing, this.#path, length);
    this.#directory.append(file, this.#path, text);
  }

  #end(): ChainEnd {
    const tail = this.#directory.readEnd(this.#path, TAIL_BYTES) ?? { bytes: Buffer.alloc(0), offset: 0 };
    const end = endOfChain(tail.bytes, tail.offset);
    if (end !== undefined) return end;
    const bytes = this.#directory.readBytes(this.#path) ?? Buffer.alloc(0);
    const endOfAll = endOfChain(bytes, 0);
    if (endOfAll !== undefined) return endOfAll;
    readChain(bytes, this.#path);
    throw new OpError("internal", `The end of the audit log ${this.#path} could not be found`);
  }

  #signed(event: AuditEvent): Omit<AuditEntry, "index"> {
    const { clock, actor, host } = this.#witness;
    const [time, monotonicMs] = [clock.now().toISOString(), clock.monotonicMs()];
    return { ...event, time, monotonicMs, host: host.host, boot: host.boot, actor };
  }
}

/** A dead process's journal may be taken back by one that set no room aside itself. */
function isOfTheWayBack({ kind, late }: AuditEvent): boolean {
  return kind === "revert" || kind === "recovery" || late === true;
}
