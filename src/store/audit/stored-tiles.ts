import { join } from "node:path";
import type { StateDirectory } from "../state-directory.ts";
import { isWidth, type LogFiles, type TileName } from "./log-files.ts";
import { TILE_WIDTH } from "./tile.ts";

/** The files of tiles and bundles that there are, by level and index; what has no such name is not ours. */
export class StoredTiles {
  /** By level and index: the widths that are stored, a full one as 256. */
  readonly #widths = new Map<string, number[]>();
  readonly #directory: StateDirectory;
  readonly #files: LogFiles;

  constructor(directory: StateDirectory, files: LogFiles) {
    this.#directory = directory;
    this.#files = files;
    const root = join(files.path, "tile");
    for (const name of directory.list(root).filter((each) => /^(\d|[1-5]\d|6[0-3]|entries)$/.test(each))) {
      this.#walk(join(root, name), name === "entries" ? name : Number(name), 0);
    }
  }

  widths({ level, index }: Omit<TileName, "width">): readonly number[] {
    return this.#widths.get(`${level}/${index}`) ?? [];
  }

  *all(): Generator<TileName> {
    for (const [name, widths] of this.#widths) {
      const [level = "", index = ""] = name.split("/");
      for (const width of widths) yield { level: level === "entries" ? level : Number(level), index: Number(index), width };
    }
  }

  #walk(folder: string, level: number | "entries", above: number): void {
    for (const name of this.#directory.list(folder)) {
      const [, group, digits = "", partial] = /^(x?)(\d{3})(\.p)?$/.exec(name) ?? [];
      const index = above * 1000 + Number(digits);
      if (group === undefined || (group === "x" && partial !== undefined)) continue;
      if (group === "x") this.#walk(join(folder, name), level, index);
      else for (const width of partial === undefined ? [TILE_WIDTH] : this.#partialWidths({ level, index })) this.#add({ level, index, width });
    }
  }

  #partialWidths(tile: Omit<TileName, "width">): number[] {
    return this.#directory.list(this.#files.partialsPath(tile)).filter(isWidth).map(Number);
  }

  #add({ level, index, width }: TileName): void {
    const name = `${level}/${index}`;
    const widths = this.#widths.get(name);
    if (widths === undefined) this.#widths.set(name, [width]);
    else widths.push(width);
  }
}
