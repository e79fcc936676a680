import { join } from "node:path";
import type { StateDirectory } from "../state-directory.ts";
import { spansOf } from "./bundle.ts";
import { HASH_BYTES } from "./merkle.ts";
import { TILE_WIDTH, tilePath, type Tile } from "./tile.ts";

/** A tile or an entry bundle by the name of its file. */
export interface TileName extends Omit<Tile, "level"> {
  readonly level: number | "entries";
}

/** The files of a log as they are: C2SP's names, and ours beside them. Nothing is checked but that what is asked for is there. */
export class LogFiles {
  readonly #directory: StateDirectory;
  /** The folder that has the checkpoint. */
  readonly path: string;

  constructor(directory: StateDirectory, path: string) {
    this.#directory = directory;
    this.path = path;
  }

  /** The signed tree head of what is published. */
  get checkpointPath(): string {
    return join(this.path, "checkpoint");
  }

  get tailPath(): string {
    return join(this.path, "tail");
  }

  get blocksPath(): string {
    return join(this.path, "blocks");
  }

  /** The public key, for those who may not read the private one. */
  get verifierKeyPath(): string {
    return join(this.path, "verifier-key");
  }

  checkpoint(): string | undefined {
    return this.#text(this.checkpointPath);
  }

  verifierKey(): string | undefined {
    return this.#text(this.verifierKeyPath);
  }

  tail(): Buffer {
    return this.#directory.readBytes(this.tailPath) ?? Buffer.alloc(0);
  }

  /** In bytes. */
  tailLength(): number {
    return this.#directory.readEnd(this.tailPath, 0)?.offset ?? 0;
  }

  block(number: number): string | undefined {
    return this.#text(this.blockPath(number));
  }

  hasBlock(number: number): boolean {
    return this.#directory.readEnd(this.blockPath(number), 0) !== undefined;
  }

  blockPath(number: number): string {
    return join(this.blocksPath, `${number}.json`);
  }

  tilePath(tile: TileName): string {
    return join(this.path, tilePath(tile));
  }

  /** The folder of a tile's partial forms. */
  partialsPath({ level, index }: Omit<TileName, "width">): string {
    return join(this.path, `${tilePath({ level, index, width: TILE_WIDTH })}.p`);
  }

  file(tile: TileName): Buffer | undefined {
    return this.#directory.readBytes(this.tilePath(tile));
  }

  has(tile: TileName): boolean {
    return this.#directory.readEnd(this.tilePath(tile), 0) !== undefined;
  }

  /** The hashes of a tile; out of the full one where its partial form is gone. Undefined where there are not so many. */
  tile(tile: Tile): Buffer | undefined {
    const bytes = this.#atLeast(tile)?.subarray(0, tile.width * HASH_BYTES);
    return bytes?.length === tile.width * HASH_BYTES ? bytes : undefined;
  }

  /** The entries of a bundle, as `tile` the hashes. */
  bundle(name: Omit<Tile, "level">): Buffer | undefined {
    const bytes = this.storedBundle(name);
    return bytes !== undefined && spansOf(bytes, name.width).count === name.width ? bytes : undefined;
  }

  /** As much of a bundle as there is, without what follows its last entry; undefined where there is no file of it. */
  storedBundle({ index, width }: Omit<Tile, "level">): Buffer | undefined {
    const bytes = this.#atLeast({ level: "entries", index, width });
    return bytes?.subarray(0, spansOf(bytes, width).length);
  }

  /** Only a name that was published as full replaces one that was partial. */
  #atLeast(tile: TileName): Buffer | undefined {
    return this.file(tile) ?? this.file({ ...tile, width: TILE_WIDTH });
  }

  #text(path: string): string | undefined {
    const bytes = this.#directory.readBytes(path);
    const text = bytes?.toString();
    // Bytes that are no UTF-8 would be read as others.
    return bytes === undefined || text === undefined || Buffer.from(text).equals(bytes) ? text : "";
  }
}

/** "1" to "255". */
export function isWidth(name: string): boolean {
  return /^[1-9]\d{0,2}$/.test(name) && Number(name) < TILE_WIDTH;
}
