import { codeOf } from "../core/errors.ts";
import type { StateDirectory } from "./state-directory.ts";

const RESERVE_BYTES = 256 * 1024;

/**
 * Room on the disk for the way back, held by a file. What log, journal and ledger cannot write on a full disk they try once
 * more without that file, but only once there is nothing left but the way back or the end: until then a full disk is the
 * reason to turn round.
 */
export class Reserve {
  readonly #directory: StateDirectory;
  #opened = false;

  constructor(directory: StateDirectory) {
    this.#directory = directory;
  }

  /** Sets the room aside, durably. Random bytes: zeroes take no room where the file system compresses. */
  set(): void {
    const { timing, reserve } = this.#directory.paths;
    this.#opened = false;
    if (this.#directory.readEnd(reserve, 0)?.offset === RESERVE_BYTES) return;
    this.#directory.write({ folder: timing, path: reserve, content: Buffer.concat(Array.from({ length: 4 }, randomBytes)) });
  }

  free(): void {
    this.#opened = false;
    this.#directory.remove(this.#directory.paths.reserve);
  }

  /** From here on whoever needs the room may have it. */
  open(): void {
    this.#opened = true;
  }

  /** Does what adds to the disk; `entitled` may have the room even if it was not opened. */
  attempt<T>(act: () => T, { entitled = false } = {}): T {
    try {
      return act();
    } catch (error) {
      if (!isFull(error) || !(this.#opened || entitled) || !this.#isSet()) throw error;
      this.#directory.remove(this.#directory.paths.reserve);
      return act();
    }
  }

  #isSet(): boolean {
    return this.#directory.readEnd(this.#directory.paths.reserve, 0) !== undefined;
  }
}

function randomBytes(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(RESERVE_BYTES / 4));
}

function isFull(error: unknown): boolean {
  const code = codeOf((error as { cause?: unknown }).cause);
  return code === "ENOSPC" || code === "EDQUOT";
}
