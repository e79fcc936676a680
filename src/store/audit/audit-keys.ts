import { dirname } from "node:path";
import { codeOf, OpError } from "../../core/errors.ts";
import type { StateDirectory } from "../state-directory.ts";
import { logFault } from "./fault.ts";
import type { LogFiles } from "./log-files.ts";
import { SignerKey, VerifierKey } from "./note.ts";

/**
 * The log's key pair. The private half is in keys/, in no folder that is copied; the public half beside the log, for those who may
 * not read the other. The key's name is the log's origin; it is made with the key and says nothing about the host.
 */
export class AuditKeys {
  readonly #directory: StateDirectory;
  readonly #files: LogFiles;
  #signer: SignerKey | undefined;

  constructor(directory: StateDirectory, files: LogFiles) {
    this.#directory = directory;
    this.#files = files;
  }

  /** Made where there is no log yet. Throws kind integrity where a log's key is gone, or is another log's. The caller holds the lock. */
  signer(): SignerKey {
    this.#signer ??= this.#stored() ?? this.#make();
    return this.#signer;
  }

  /** Undefined where no log was begun. Throws kind integrity for a file that is no key. */
  verifier(): VerifierKey | undefined {
    const text = this.#files.verifierKey();
    if (text === undefined) {
      if (this.#isBegun()) throw logFault(this.#files.path, "its key, the file 'verifier-key', is missing");
      return undefined;
    }
    const key = VerifierKey.parse(text.trimEnd());
    if (key === undefined) throw logFault(this.#files.path, "its file 'verifier-key' is no verifier key");
    return key;
  }

  /** As `verifier`, and that it belongs to the private key, where this user may read that one. */
  known(): VerifierKey | undefined {
    try {
      return (this.#signer ?? this.#private())?.verifier ?? this.verifier();
    } catch (error) {
      if (error instanceof OpError && codeOf(error.cause) === "EACCES") return this.verifier();
      throw error;
    }
  }

  #stored(): SignerKey | undefined {
    const signer = this.#private();
    const verifier = this.verifier();
    if (signer !== undefined && verifier === undefined) this.#publish(signer);
    if (signer !== undefined || verifier === undefined) return signer;
    const { auditKey } = this.#directory.paths;
    throw new OpError("integrity", `The audit log's private key ${auditKey} is missing`, { hint: "Bring it back from a backup; the log takes no more entries without it" });
  }

  #private(): SignerKey | undefined {
    const { auditKey } = this.#directory.paths;
    const text = this.#directory.readText(auditKey);
    if (text === undefined) return undefined;
    const signer = SignerKey.parse(text.trimEnd());
    if (signer === undefined) throw new OpError("integrity", `${auditKey} is no private key of an audit log`);
    const verifier = this.verifier();
    if (verifier !== undefined && verifier.toString() !== signer.verifier.toString()) throw logFault(this.#files.path, `its file 'verifier-key' does not belong to ${auditKey}`);
    return signer;
  }

  /** The private half first: a crash in between leaves a key without a log. */
  #make(): SignerKey {
    const signer = SignerKey.generate(`op-dbus/${crypto.randomUUID()}`);
    const { auditKey, keys } = this.#directory.paths;
    this.#directory.write({ folder: keys, path: auditKey, content: `${signer}\n`, mode: 0o600 });
    this.#publish(signer);
    return signer;
  }

  #publish(signer: SignerKey): void {
    const path = this.#files.verifierKeyPath;
    this.#directory.write({ folder: dirname(path), path, content: `${signer.verifier}\n` });
  }

  #isBegun(): boolean {
    return this.#files.checkpoint() !== undefined || this.#files.tail().length > 0 || this.#files.hasBlock(0);
  }
}
