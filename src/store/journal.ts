import type { GenericSchema } from "valibot";
import { OpError } from "../core/errors.ts";
import type { Journal, JournalRecord, OpenTransaction, TransactionHeader } from "../core/ports.ts";
import type { AppendFile } from "../sys/durable.ts";
import type { Reserve } from "./reserve.ts";
import { journalSchemas } from "./schemas.ts";
import type { StateDirectory } from "./state-directory.ts";
import { parseStored, storable } from "./stored-json.ts";

/**
 * The journal in one file of lines: the header, then a record a line, each with its number and a checksum. A line is synced
 * before the next is begun, so only the last can be torn. The caller holds the lock.
 */
export class FileJournal implements Journal {
  readonly #directory: StateDirectory;
  readonly #reserve: Reserve;
  /** Open from the first record to `close`: it alone knows how to take back a record that could not be written whole. */
  #file: { readonly handle: AppendFile; lines: number } | undefined;

  constructor(directory: StateDirectory, reserve: Reserve) {
    this.#directory = directory;
    this.#reserve = reserve;
  }

  /** Throws kind internal while a transaction is open. What a crash left of one that was never begun is replaced. */
  async begin(header: TransactionHeader): Promise<void> {
    if (this.pending() !== undefined) throw new OpError("internal", "A transaction is open already");
    this.#letGo();
    this.#directory.sweep();
    const { state, journal } = this.#directory.paths;
    const content = lineOf(0, storable(header, journalSchemas.header));
    this.#directory.write({ folder: state, path: journal, content });
  }

  async append(record: JournalRecord): Promise<void> {
    const checked = storable(record, journalSchemas.record);
    const file = (this.#file ??= this.#open());
    // Steps on the way there must not use up the room that the way back may need.
    if (checked.record !== "step-begun" && checked.record !== "step-done") this.#reserve.open();
    const { journal } = this.#directory.paths;
    this.#reserve.attempt(() => this.#directory.append(file.handle, journal, lineOf(file.lines, checked)));
    file.lines += 1;
  }

  /** Throws kind integrity for a journal that a crash alone cannot have left like this. */
  pending(): OpenTransaction | undefined {
    const bytes = this.#directory.readBytes(this.#directory.paths.journal);
    const [first, ...rest] = linesOf(bytes ?? Buffer.alloc(0)).texts;
    if (first === undefined) return undefined;
    const header = this.#parse(first, 0, journalSchemas.header);
    return { header, records: rest.map((text, index) => this.#parse(text, index + 1, journalSchemas.record)) };
  }

  async close(): Promise<void> {
    this.#letGo();
    this.#directory.remove(this.#directory.paths.journal);
  }

  /** Takes a torn record off the file of a dead process before anything is added to it. */
  #open(): { handle: AppendFile; lines: number } {
    const { state, journal } = this.#directory.paths;
    const bytes = this.#directory.readBytes(journal);
    const { texts, length } = linesOf(bytes ?? Buffer.alloc(0));
    if (texts.length === 0) throw new OpError("internal", "No transaction is open");
    return { handle: this.#directory.open(state, journal, length), lines: texts.length };
  }

  #letGo(): void {
    this.#file?.handle.close();
    this.#file = undefined;
  }

  #parse<T>(text: string, number: number, schema: GenericSchema<unknown, T>): T {
    const failure = (what: string) => damaged(this.#directory.paths.journal, number, what);
    const [, checksum, rest, entry] = LINE.exec(text) ?? [];
    if (checksum === undefined || rest === undefined || entry === undefined) throw failure("it is not a journal's line");
    if (checksum !== checksumOf(rest)) throw failure("its checksum does not match");
    if (!rest.endsWith(`,"line":${number}}`)) throw failure("lines before it are missing, or it is there twice");
    return parseStored(entry, schema, failure);
  }
}

const LINE = /^\{"checksum":"([0-9a-f]{64})",("entry":(.*),"line":\d+\})$/s;

function lineOf(number: number, entry: TransactionHeader | JournalRecord): string {
  const rest = `"entry":${JSON.stringify(entry)},"line":${number}}`;
  return `{"checksum":"${checksumOf(rest)}",${rest}\n`;
}

function checksumOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

/**
 * The lines that were written whole, and their length in bytes. A last line without its end was torn; so was one with a NUL
 * byte, which no line has: the file grew before the disk had its bytes.
 */
function linesOf(bytes: Buffer): { texts: string[]; length: number } {
  const whole = bytes.lastIndexOf(0x0a) + 1;
  const last = whole === 0 ? 0 : bytes.subarray(0, whole - 1).lastIndexOf(0x0a) + 1;
  const length = bytes.subarray(last, whole).includes(0) ? last : whole;
  return { texts: length === 0 ? [] : bytes.toString("utf8", 0, length - 1).split("\n"), length };
}

function damaged(path: string, number: number, what: string): OpError {
  const where = number === 0 ? "its header" : `its record ${number}`;
  return new OpError("integrity", `The journal ${path} is damaged: ${where} cannot be read: ${what}`, {
    hint: "It says what a change was doing when it was interrupted. Look at it, bring the host in order, then move it away",
  });
}
