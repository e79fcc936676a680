import { OpError } from "../../core/errors.ts";
import type { Actor, AuditEntry, AuditEvent, AuditReader, AuditSink, Clock, EntryRange, Pruned } from "../../core/ports.ts";
import type { HostIdentity } from "../../sys/host-identity.ts";
import type { Reserve } from "../reserve.ts";
import type { StateDirectory } from "../state-directory.ts";
import type { AuditKeys } from "./audit-keys.ts";
import { encodeEntry } from "./entry.ts";
import type { LogFiles } from "./log-files.ts";
import { LogView } from "./log-view.ts";
import { LogWriter } from "./log-writer.ts";
import { publish } from "./publish.ts";
import { signTreeHead } from "./tree-head.ts";

/** Who writes, where, and by which clock. */
export interface Witness {
  readonly clock: Clock;
  readonly actor: Actor;
  readonly host: HostIdentity;
}

export interface AuditLogParts {
  readonly directory: StateDirectory;
  readonly reserve: Reserve;
  readonly files: LogFiles;
  readonly keys: AuditKeys;
  readonly witness: Witness;
}

/** The audit log as C2SP tiles. Who appends holds the lock; who reads need not. */
export class TiledAuditLog implements AuditSink, AuditReader {
  readonly #parts: AuditLogParts;
  /** A transaction is open: what it logs stays in the tail until it is over. */
  #held = false;
  #writing: LogWriter | undefined;

  constructor(parts: AuditLogParts) {
    this.#parts = parts;
  }

  /** One write and one sync for all of them. Throws kind integrity, and adds nothing, to a log whose end does not verify. */
  async append(events: readonly AuditEvent[]): Promise<void> {
    if (events.length === 0) return;
    const writer = this.#writer();
    // What fails may have been half done: the next append looks at the disk again.
    this.#writing = undefined;
    const first = writer.size;
    const entries = events.map((event, offset) => encodeEntry(this.#witnessed(event, first + offset)));
    const frame = writer.frameOf(entries, (tree) => signTreeHead(this.#parts.keys.signer(), tree));
    this.#parts.reserve.attempt(() => writer.write(frame), { entitled: events.some(isOfTheWayBack) });
    this.#writing = writer;
    if (!this.#held) this.#publish();
  }

  async reserve(): Promise<void> {
    this.#parts.reserve.set();
    this.#held = true;
  }

  async free(): Promise<void> {
    this.#held = false;
    this.#parts.reserve.free();
    this.#publish();
  }

  size(): number {
    return this.#view()?.size ?? 0;
  }

  *entries(range?: EntryRange): Iterable<AuditEntry> {
    const view = this.#view();
    if (view !== undefined) yield* view.entries(range);
  }

  pruned(): Pruned | undefined {
    return this.#view()?.pruned();
  }

  #view(): LogView | undefined {
    const { files, keys } = this.#parts;
    const verifier = keys.known();
    return verifier === undefined ? undefined : new LogView(files, verifier);
  }

  /** The one that there is, unless another process has appended since. */
  #writer(): LogWriter {
    const { directory, files, keys } = this.#parts;
    return this.#writing?.isCurrent() === true ? this.#writing : new LogWriter(directory, files, keys.signer().verifier);
  }

  /** What is logged stays logged: what cannot be published now (a full disk, damage) the next writer publishes, or tells of. */
  #publish(): void {
    const { directory, files } = this.#parts;
    try {
      const view = this.#view();
      if (view !== undefined) publish(directory, files, view);
      this.#writing?.published();
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
      this.#writing = undefined;
    }
  }

  #witnessed(event: AuditEvent, index: number): AuditEntry {
    const { clock, actor, host } = this.#parts.witness;
    const [time, monotonicMs] = [clock.now().toISOString(), clock.monotonicMs()];
    return { ...event, index, time, monotonicMs, host: host.host, boot: host.boot, actor };
  }
}

/** A dead process's journal may be taken back by one that set no room aside itself. */
function isOfTheWayBack({ kind, late }: AuditEvent): boolean {
  return kind === "revert" || kind === "recovery" || late === true;
}
