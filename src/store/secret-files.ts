import { codeOf, OpError } from "../core/errors.ts";
import { canonicalJson } from "../core/json.ts";
import type { SecretStore } from "../core/ports.ts";
import { commitmentTo, type Opening } from "../core/secret.ts";
import { namedFile } from "./paths.ts";
import type { Reserve } from "./reserve.ts";
import { openingSchema } from "./schemas.ts";
import type { StateDirectory, StoredFile } from "./state-directory.ts";
import { damaged, readStored, storedText } from "./stored-json.ts";

/**
 * The secrets, one file each, named by the commitment. A salt is made of the secret key, of what the value stands at and of the
 * value, so that a value is known again without a look at the files, and that nobody without the key can guess at it.
 */
export class SecretFiles implements SecretStore {
  readonly #directory: StateDirectory;
  readonly #reserve: Reserve;
  /** The key on the disk, or the one that is put there with the first secret that is kept. */
  #key: { readonly hex: string; readonly stored: boolean } | undefined;
  readonly #known = new Map<string, Opening>();
  readonly #kept = new Set<string>();

  constructor(directory: StateDirectory, reserve: Reserve) {
    this.#directory = directory;
    this.#reserve = reserve;
  }

  commit(key: readonly string[], value: string): string {
    const salt = new Bun.CryptoHasher("sha256", Buffer.from(this.#secretKey(), "hex")).update(canonicalJson([...key, value])).digest("hex");
    const commitment = commitmentTo({ salt, value });
    this.#known.set(commitment, { salt, value });
    return commitment;
  }

  /** Throws kind integrity for a file that is damaged, or holds another secret. */
  open(commitment: string): Opening | undefined {
    const known = this.#known.get(commitment);
    if (known !== undefined) return known;
    const path = this.#pathOf(commitment);
    const opening = readStored(this.#directory, path, openingSchema);
    if (opening !== undefined && commitmentTo(opening) !== commitment) throw damaged(path, "it holds another secret");
    return opening;
  }

  unkept(named: unknown): readonly string[] {
    const candidates = [...this.#known.keys()].filter((commitment) => !this.#kept.has(commitment));
    if (candidates.length === 0) return [];
    // As text: what stands in a message is named too.
    const text = JSON.stringify(named);
    return candidates.filter((commitment) => text.includes(commitment) && !this.#isKept(commitment));
  }

  async keep(named: unknown): Promise<void> {
    const unkept = this.unkept(named);
    if (unkept.length === 0) return;
    this.#keepKey();
    for (const commitment of unkept) {
      const opening = this.#known.get(commitment);
      if (opening === undefined) continue;
      const { secrets: folder } = this.#directory.paths;
      this.#write({ folder, path: this.#pathOf(commitment), content: storedText(opening, openingSchema), mode: 0o600 });
      this.#kept.add(commitment);
    }
  }

  #isKept(commitment: string): boolean {
    const kept = this.#asOwner(() => this.#directory.names(this.#directory.paths.secrets));
    if (kept?.includes(commitment) !== true) return false;
    this.#kept.add(commitment);
    return true;
  }

  /** One that is not stored yet gives way to one that another process stored meanwhile. */
  #secretKey(): string {
    if (this.#key?.stored === true) return this.#key.hex;
    const hex = this.#storedKey();
    if (hex !== undefined) this.#key = { hex, stored: true };
    this.#key ??= { hex: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex"), stored: false };
    return this.#key.hex;
  }

  /** Undefined also for a user who may not read it: such a one sees what is secret under commitments of no further use. */
  #storedKey(): string | undefined {
    const { secrets, secretsKey } = this.#directory.paths;
    return this.#asOwner(() => {
      const text = this.#directory.readText(secretsKey)?.trimEnd();
      if (text === undefined && this.#directory.names(secrets).length === 0) return undefined;
      if (text !== undefined && /^[0-9a-f]{64}$/.test(text)) return text;
      throw new OpError("integrity", text === undefined ? `${secretsKey} is missing` : `${secretsKey} is no key`, {
        hint: "Bring it back from a backup; without it no secret is known again",
      });
    });
  }

  #asOwner<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof OpError && codeOf(error.cause) === "EACCES") return undefined;
      throw error;
    }
  }

  #keepKey(): void {
    const { keys: folder, secretsKey: path } = this.#directory.paths;
    if (this.#key === undefined || this.#key.stored || this.#storedKey() !== undefined) return;
    this.#write({ folder, path, content: `${this.#key.hex}\n`, mode: 0o600 });
    this.#key = { ...this.#key, stored: true };
  }

  #write(file: StoredFile): void {
    this.#reserve.attempt(() => this.#directory.write(file));
  }

  #pathOf(commitment: string): string {
    return namedFile(this.#directory.paths.secrets, "secret", commitment);
  }
}
