import { decodeBase64, encodeBase64 } from "./base64.ts";
import { HASH_BYTES, type Hash } from "./merkle.ts";
import { openNote, type SignerKey, type VerifierKey } from "./note.ts";

/** What c2sp.org/tlog-checkpoint calls a checkpoint: which log, how many entries it had and what their root was. */
export interface TreeHead {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

/** The signed note of a tree head. The log's origin is its key's name. */
export function signTreeHead(key: SignerKey, { size, root }: Omit<TreeHead, "origin">): string {
  return key.signed(`${key.verifier.name}\n${size}\n${encodeBase64(root)}\n`);
}

/** The tree head in a note that the key signed, for the log of that key; undefined for anything else. */
export function openTreeHead(note: string, key: VerifierKey): TreeHead | undefined {
  const head = parseTreeHead(openNote(note, key) ?? "");
  return head?.origin === key.name ? head : undefined;
}

/** Three lines, and after them any that are not empty, which say nothing to us. */
function parseTreeHead(text: string): TreeHead | undefined {
  const [, origin = "", digits = "", encoded = ""] = /^([^\n]+)\n(0|[1-9]\d*)\n([^\n]+)\n(?:[^\n]+\n)*$/.exec(text) ?? [];
  const [size, root] = [Number(digits), decodeBase64(encoded)];
  return origin !== "" && Number.isSafeInteger(size) && root?.length === HASH_BYTES ? { origin, size, root } : undefined;
}
