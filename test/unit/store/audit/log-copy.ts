import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AuditEvent } from "../../../../src/core/ports.ts";
import { LogFiles } from "../../../../src/store/audit/log-files.ts";
import type { VerifierKey } from "../../../../src/store/audit/note.ts";
import { verifyLog, type Verified } from "../../../../src/store/audit/verify.ts";
import { StateDirectory } from "../../../../src/store/state-directory.ts";

/** A log's folder to be tampered with, its bytes kept so that it can be put right again. */
export class LogCopy {
  readonly path: string;
  readonly #key: VerifierKey;
  readonly #whole = new Map<string, Buffer>();

  constructor(from: string, path: string, key: VerifierKey) {
    this.path = path;
    this.#key = key;
    cpSync(from, path, { recursive: true });
    for (const name of this.names()) this.#whole.set(name, this.read(name));
  }

  /** Every file, by its path in the folder. */
  names(): string[] {
    const found = readdirSync(this.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return found.map(({ parentPath, name }) => join(parentPath, name).slice(this.path.length + 1)).sort();
  }

  read(name: string): Buffer {
    return this.#whole.get(name) ?? readFileSync(join(this.path, name));
  }

  write(name: string, bytes: Uint8Array | string): void {
    mkdirSync(dirname(join(this.path, name)), { recursive: true });
    writeFileSync(join(this.path, name), bytes);
  }

  remove(name: string): void {
    rmSync(join(this.path, name), { recursive: true });
  }

  /** As it was copied. */
  restore(): void {
    for (const name of this.names()) if (!this.#whole.has(name)) this.remove(name);
    for (const [name, bytes] of this.#whole) this.write(name, bytes);
  }

  verify(key = this.#key): Verified {
    const directory = new StateDirectory(this.path);
    return verifyLog({ directory, files: new LogFiles(directory, this.path), key, visit: () => undefined });
  }

  /** What the verifier says is wrong: kind and message, or undefined where it finds nothing. */
  finding(key = this.#key): { kind: string; message: string } | undefined {
    try {
      this.verify(key);
      return undefined;
    } catch (error) {
      const { kind = "crash", message } = error as { kind?: string; message: string };
      return { kind, message };
    }
  }
}

/** The number of the entry that a finding names. */
export function entryNamed(finding: { message: string } | undefined): number | undefined {
  const [, digits] = /^Entry (\d+) of /.exec(finding?.message ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** An entry like those of a real apply. */
export function sampleEvent(number: number): AuditEvent {
  return { kind: "action", transaction: `t${Math.floor(number / 30)}`, plugin: "systemd", operation: "start", resource: `ä-${number}.service`, before: null, after: "active", outcome: number % 2 === 0 ? "begun" : "done" };
}
