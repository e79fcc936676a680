import { decodeBase64, encodeBase64 } from "./base64.ts";
import { HASH_BYTES, leafHash, type Hash } from "./merkle.ts";
import type { VerifierKey } from "./note.ts";
import { verifyInclusion } from "./proof.ts";
import { openTreeHead } from "./tree-head.ts";

/** A proof that an entry is in a log, which stands on its own (c2sp.org/tlog-proof). */
export interface TlogProof {
  readonly index: number;
  /** From the leaf's sibling up. */
  readonly hashes: readonly Hash[];
  /** The signed tree head, a note. */
  readonly treeHead: string;
  /** What the format carries for its application and does not vouch for: here the entry's own bytes. */
  readonly extra?: Uint8Array;
}

const FORMAT = "c2sp.org/tlog-proof@v1\n";
const FORM = /^(?:extra ([^\n]*)\n)?index (0|[1-9]\d*)\n((?:[^\n]+\n)*)\n(.*)$/s;

export function formatTlogProof({ index, hashes, treeHead, extra }: TlogProof): string {
  const lines = [...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]), `index ${index}`, ...hashes.map(encodeBase64)];
  return `${FORMAT}${lines.join("\n")}\n\n${treeHead}`;
}

/** Undefined for a text that is not of the format. */
export function parseTlogProof(text: string): TlogProof | undefined {
  const [, extraText, digits = "", hashText = "", treeHead = ""] = (text.startsWith(FORMAT) ? FORM.exec(text.slice(FORMAT.length)) : undefined) ?? [];
  const [extra, index] = [extraText === undefined ? undefined : decodeBase64(extraText), Number(digits)];
  const lines = hashText.split("\n").slice(0, -1);
  const hashes = lines.map(decodeBase64).filter((hash): hash is Buffer => hash?.length === HASH_BYTES);
  if (digits === "" || !Number.isSafeInteger(index) || hashes.length < lines.length || (extra === undefined) !== (extraText === undefined)) return undefined;
  return { index, hashes, treeHead, ...(extra === undefined ? {} : { extra }) };
}

/** True where the proof shows that the key's log has the entry at the proof's index. */
export function verifyTlogProof({ index, hashes, treeHead }: TlogProof, entry: Uint8Array, key: VerifierKey): boolean {
  const head = openTreeHead(treeHead, key);
  return head !== undefined && verifyInclusion(hashes, { index, leaf: leafHash(entry), size: head.size, root: head.root });
}
