import type { KeyObject } from "node:crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { sha256 } from "./merkle.ts";

/*
 * Signed notes (c2sp.org/signed-note) with Ed25519 keys, and the two texts in which golang.org/x/mod/sumdb/note keeps a key:
 *   NAME+ID+BASE64               ID is eight hex digits, the base64 is of 0x01 and the 32 bytes of the public key
 *   PRIVATE+KEY+NAME+ID+BASE64   the same with the 32 bytes that the private key is made of
 */

/** node:crypto is slow to load; who neither signs nor checks need not wait for it. */
const crypto = () => process.getBuiltinModule("node:crypto");

const ED25519 = 0x01;
const KEY_BYTES = 32;
const ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
/** RFC 8410: what stands before the key's 32 bytes in SubjectPublicKeyInfo and PrivateKeyInfo. */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Checks signatures. */
export class VerifierKey {
  readonly name: string;
  /** Four bytes, the key's id in signatures. */
  readonly id: Buffer;
  readonly #bytes: Uint8Array;
  readonly #key: KeyObject;

  constructor(name: string, publicKey: Uint8Array) {
    this.name = name;
    this.#bytes = Buffer.of(ED25519, ...publicKey);
    this.id = Buffer.from(sha256(Buffer.concat([Buffer.from(`${name}\n`), this.#bytes])).subarray(0, ID_BYTES));
    this.#key = crypto().createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" });
  }

  /** Undefined for a text that is no such key, or whose id is another key's. */
  static parse(text: string): VerifierKey | undefined {
    const [, name = "", id, encoded = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
    const bytes = keyBytes(encoded);
    if (bytes === undefined || !isKeyName(name)) return undefined;
    const key = new VerifierKey(name, bytes);
    return key.id.toString("hex") === id ? key : undefined;
  }

  verify(text: string, signature: Uint8Array): boolean {
    return signature.length === SIGNATURE_BYTES && crypto().verify(null, Buffer.from(text), this.#key, signature);
  }

  toString(): string {
    return `${this.name}+${this.id.toString("hex")}+${encodeBase64(this.#bytes)}`;
  }
}

/** Signs. Its text is a secret. */
export class SignerKey {
  readonly verifier: VerifierKey;
  readonly #seed: Uint8Array;
  readonly #key: KeyObject;

  constructor(name: string, seed: Uint8Array) {
    this.#seed = Buffer.from(seed);
    this.#key = crypto().createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
    const spki = crypto().createPublicKey(this.#key).export({ format: "der", type: "spki" });
    this.verifier = new VerifierKey(name, spki.subarray(SPKI.length));
  }

  static generate(name: string): SignerKey {
    const pkcs8 = crypto().generateKeyPairSync("ed25519").privateKey.export({ format: "der", type: "pkcs8" });
    return new SignerKey(name, pkcs8.subarray(PKCS8.length));
  }

  /** Undefined for a text that is no such key, or whose id is another key's. */
  static parse(text: string): SignerKey | undefined {
    const [, name = "", id, encoded = ""] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
    const seed = keyBytes(encoded);
    if (seed === undefined || !isKeyName(name)) return undefined;
    const key = new SignerKey(name, seed);
    return key.verifier.id.toString("hex") === id ? key : undefined;
  }

  /** The text, which ends with an end of line, as a note with this key's signature. */
  signed(text: string): string {
    const signature = Buffer.concat([this.verifier.id, crypto().sign(null, Buffer.from(text), this.#key)]);
    return `${text}\n— ${this.verifier.name} ${encodeBase64(signature)}\n`;
  }

  toString(): string {
    const encoded = encodeBase64(Buffer.of(ED25519, ...this.#seed));
    return `PRIVATE+KEY+${this.verifier.name}+${this.verifier.id.toString("hex")}+${encoded}`;
  }
}

/** No space of Unicode and no plus. */
export function isKeyName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name);
}

/** The text that a note's known key signed, or undefined with nothing to be believed: no known signature, or a wrong one. */
export function openNote(note: string, key: VerifierKey): string | undefined {
  const { text, signatures } = splitNote(note) ?? { text: "", signatures: [] };
  const known = signatures.filter(({ name, id }) => name === key.name && id.equals(key.id));
  return known.length > 0 && known.every(({ signature }) => key.verify(text, signature)) ? text : undefined;
}

interface NoteSignature {
  readonly name: string;
  readonly id: Buffer;
  readonly signature: Buffer;
}

/** The form alone, without a look at any key. */
function splitNote(note: string): { text: string; signatures: NoteSignature[] } | undefined {
  if (!note.isWellFormed() || /[\0-\x09\x0b-\x1f]/.test(note) || !note.endsWith("\n")) return undefined;
  const end = note.lastIndexOf("\n\n");
  if (end < 0) return undefined;
  const lines = note.slice(end + 2, -1).split("\n").map(signatureIn);
  const signatures = lines.filter((line) => line !== undefined);
  return signatures.length === lines.length ? { text: note.slice(0, end + 1), signatures } : undefined;
}

function signatureIn(line: string): NoteSignature | undefined {
  const [, name = "", encoded = ""] = /^— (\S+) (\S+)$/.exec(line) ?? [];
  const bytes = decodeBase64(encoded);
  if (!isKeyName(name) || bytes === undefined || bytes.length <= ID_BYTES) return undefined;
  return { name, id: bytes.subarray(0, ID_BYTES), signature: bytes.subarray(ID_BYTES) };
}

function keyBytes(encoded: string): Buffer | undefined {
  const bytes = decodeBase64(encoded);
  return bytes?.length === 1 + KEY_BYTES && bytes[0] === ED25519 ? bytes.subarray(1) : undefined;
}
