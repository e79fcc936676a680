import type { Rejection } from "../core/ports.ts";
import { namedFile } from "./paths.ts";
import { ledgerSchemas } from "./schemas.ts";
import type { StateDirectory, StoredFile } from "./state-directory.ts";
import { damaged, readStored, storedText } from "./stored-json.ts";

/** The documents that may not be applied again, one file each, named by the document's hash. */
export class RejectedFiles {
  readonly #directory: StateDirectory;

  constructor(directory: StateDirectory) {
    this.#directory = directory;
  }

  /** Throws kind integrity for one that is damaged, or lies under another's hash. */
  find(documentHash: string): Rejection | undefined {
    const path = this.pathOf(documentHash);
    const rejection = readStored(this.#directory, path, ledgerSchemas.rejection);
    if (rejection !== undefined && rejection.documentHash !== documentHash) {
      throw damaged(path, `it rejects the document ${rejection.documentHash}`);
    }
    return rejection;
  }

  /** Oldest first. */
  all(): readonly Rejection[] {
    const hashes = this.#directory.names(this.#directory.paths.rejected);
    return hashes.flatMap((hash) => this.find(hash) ?? []).sort((a, b) => (a.when < b.when ? -1 : 1));
  }

  fileOf(rejection: Rejection): StoredFile {
    const content = storedText(rejection, ledgerSchemas.rejection);
    return { folder: this.#directory.paths.rejected, path: this.pathOf(rejection.documentHash), content };
  }

  pathOf(documentHash: string): string {
    return namedFile(this.#directory.paths.rejected, "rejected document", documentHash);
  }
}
