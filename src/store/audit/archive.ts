import { OpError } from "../../core/errors.ts";
import type { AuditEntry } from "../../core/ports.ts";
import type { Opener } from "../replica/open-replica.ts";
import { replicate, type Replicated } from "../replica/replication.ts";
import { SnapshotSource } from "../replica/snapshot-source.ts";
import { SnapshotCheck, type VerifiedSnapshots } from "../snapshot-check.ts";
import { replicaSnapshotFiles, SnapshotFiles } from "../snapshot-files.ts";
import type { Snapshot } from "../snapshot-name.ts";
import { StateDirectory } from "../state-directory.ts";
import { AuditKeys } from "./audit-keys.ts";
import { logFault } from "./fault.ts";
import { LogFiles } from "./log-files.ts";
import { LogView } from "./log-view.ts";
import { VerifierKey } from "./note.ts";
import { formatTlogProof } from "./tlog-proof.ts";
import { verifyLog, type Verified } from "./verify.ts";

/** Which log to look at, and by whose key. */
export interface ArchivePlace {
  /** The state directory whose log it is, unless `path` says otherwise. */
  readonly root?: string;
  /** The folder of a replica, the one that has the checkpoint. */
  readonly path?: string;
  /** The verifier key that the log is to be signed with; without it the one that lies with the log. */
  readonly key?: string;
}

/** A log as evidence: for those who check it, here or elsewhere. */
export interface AuditArchive {
  readonly path: string;
  /** The verifier key that it is checked with, and whether that was only found in the folder that is to be checked. */
  readonly key: string;
  readonly keyFound: boolean;
  /**
   * Checks all of it, and the snapshots that there are against it. `begin` gives what is told of each entry that is in order, anew where a
   * writer made it begin again.
   */
  verify(begin: () => (entry: AuditEntry) => void): Verified & { readonly snapshots: VerifiedSnapshots };
  /** By the times that they are named after. */
  snapshots(): readonly Snapshot[];
  /** A .tlog-proof of the entry, which has the entry's bytes with it. Throws kind invalid where there is no such entry. */
  prove(number: number): string;
  /** Brings a replica to what the log has now. Needs no lock. */
  replicate(open: Opener): Promise<Replicated>;
}

/** How often a check begins again because a writer changed what it read. */
const ATTEMPTS = 5;

/** Throws kind invalid where there is no log, or the key is none. */
export function openArchive({ root, path, key: given }: ArchivePlace): AuditArchive {
  const directory = new StateDirectory(path ?? root);
  const files = new LogFiles(directory, path ?? directory.paths.timing);
  const keys = new AuditKeys(directory, files);
  const found = path === undefined ? keys.known() : keys.verifier();
  const key = given === undefined ? found : VerifierKey.parse(given);
  if (given !== undefined && key === undefined) throw new OpError("invalid", `'${given}' is no verifier key`, { hint: "On the host that wrote the log: op-dbus audit key" });
  const stored = path === undefined ? new SnapshotFiles(directory) : replicaSnapshotFiles(directory, files);
  if (key === undefined || (files.checkpoint() === undefined && files.tail().length === 0)) throw new OpError("invalid", `There is no audit log in ${files.path}`);
  return {
    path: files.path,
    key: key.toString(),
    keyFound: given === undefined,
    verify(begin) {
      if (found !== undefined && found.toString() !== key.toString()) throw logFault(files.path, `it is the log of another key, ${found}`);
      const check = new SnapshotCheck({ directory, stored, replica: path !== undefined });
      const verified = settled(files, () => {
        const told = begin();
        const visit = (entry: AuditEntry) => {
          check.saw(entry);
          told(entry);
        };
        return verifyLog({ directory, files, key, visit });
      });
      return { ...verified, snapshots: check.run() };
    },
    snapshots: () => stored.all(),
    prove(index) {
      const view = new LogView(files, key);
      const { size, treeHead } = view;
      if (index >= size || treeHead === undefined) throw new OpError("invalid", `There is no entry ${index}`, { hint: `There are 0 to ${size - 1}` });
      return formatTlogProof({ index, hashes: view.inclusionProof(index), treeHead, extra: view.entryBytes(index) });
    },
    replicate: (open) => replicate({ files, key, snapshots: new SnapshotSource(directory) }, open),
  };
}

/** What fails while a writer changes the log is done again. */
function settled<T>(files: LogFiles, act: () => T): T {
  for (let attempt = 1; ; attempt += 1) {
    const before = [files.checkpoint(), files.tailLength()];
    try {
      return act();
    } catch (error) {
      const same = files.checkpoint() === before[0] && files.tailLength() === before[1];
      if (same || attempt === ATTEMPTS) throw error;
    }
  }
}
