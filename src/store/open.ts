import type { AuditReader, AuditSink, Journal, Ledger, SecretStore } from "../core/ports.ts";
import { AuditKeys } from "./audit/audit-keys.ts";
import { TiledAuditLog, type Witness } from "./audit/audit-log.ts";
import { LogFiles } from "./audit/log-files.ts";
import { FileJournal } from "./journal.ts";
import { FileLedger } from "./ledger.ts";
import type { StatePaths } from "./paths.ts";
import { Pruning } from "./pruning.ts";
import { Reserve } from "./reserve.ts";
import { DEFAULT_RETENTION, type SnapshotOptions } from "./retention.ts";
import { SecretFiles } from "./secret-files.ts";
import { Snapshots } from "./snapshots.ts";
import { StateDirectory } from "./state-directory.ts";

export interface StoreOptions extends Witness {
  /** Where everything is kept; DEFAULT_ROOT without it. */
  readonly root?: string;
  /** Without it no snapshots are taken. */
  readonly snapshots?: SnapshotOptions;
}

/** Everything that is kept in one state directory. */
export interface Store {
  readonly paths: StatePaths;
  readonly lockPath: string;
  readonly audit: AuditSink & AuditReader;
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly secrets: SecretStore;
  /** Makes the lock's folder, and the subvolumes. Throws kind refused, saying why, where this process could not write. */
  prepare(): Promise<void>;
  /** Undefined where none are wanted. */
  readonly snapshots: Snapshots | undefined;
  /** By the snapshots' rules of retention, or the standard ones. */
  readonly pruning: Pruning;
  /** Whether what is kept is in subvolumes of BTRFS; undefined while nothing is. */
  onSubvolumes(): Promise<boolean | undefined>;
}

/** Opens a state directory, which need not be there. Nothing is read before it is asked for, nothing written before the first write. */
export function openStore({ root, snapshots, ...witness }: StoreOptions): Store {
  const directory = new StateDirectory(root);
  const reserve = new Reserve(directory);
  const files = new LogFiles(directory, directory.paths.timing);
  const keys = new AuditKeys(directory, files);
  const audit = new TiledAuditLog({ directory, reserve, files, keys, witness });
  const ledger = new FileLedger(directory, reserve);
  return {
    paths: directory.paths,
    lockPath: directory.paths.lock,
    audit,
    journal: new FileJournal(directory, reserve),
    ledger,
    secrets: new SecretFiles(directory, reserve),
    prepare: () => directory.prepare(),
    snapshots: snapshots && new Snapshots({ directory, files, audit, clock: witness.clock, options: snapshots }),
    pruning: new Pruning({ directory, files, keys, audit, ledger, retention: snapshots?.retention ?? DEFAULT_RETENTION }),
    onSubvolumes: () => directory.onSubvolumes(),
  };
}
