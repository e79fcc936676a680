import { dlopen, toArrayBuffer, type Pointer } from "bun:ffi";
import { messageOf } from "../core/errors.ts";
import type { UnitLog } from "../core/ports.ts";
import { cString } from "./libc.ts";

const LIBRARY = "libsystemd.so.0";
const LINE_LIMIT = 500;
/** What is taken of one field, and how many entries of a unit are looked at, at most. */
const FIELD_LIMIT_BYTES = 8192;
const COUNT_LIMIT = 1000;
/** sd_journal_open: this machine's journal only (sd-journal.h). */
const LOCAL_ONLY = 1;

export interface UnitLogOptions {
  /** Another library than libsystemd.so.0, and another folder than this machine's journal. */
  readonly library?: string;
  readonly folder?: string;
}

/** The journal, by libsystemd, which is opened when a unit's words are first asked for. Never throws: a log that cannot be had hides no error. */
export function createUnitLog({ library = LIBRARY, folder }: UnitLogOptions = {}): UnitLog {
  return {
    lastLines(unit, count) {
      let journal: Journal | undefined;
      try {
        journal = new Journal(openLibrary(library), folder);
        const lines = journal.lastLines(unit, Math.min(count, COUNT_LIMIT));
        if (lines.length > 0 || !journal.isEmpty()) return lines;
        return [lookElsewhere("there is no journal here, or it is not for this user to read")];
      } catch (error) {
        return [lookElsewhere(messageOf(error))];
      } finally {
        journal?.close();
      }
    },
  };
}

function lookElsewhere(why: string): string {
  return `(the unit's log could not be read: ${why}; see /var/log/journal, /var/log/syslog or the console)`;
}

function openLibrary(name: string) {
  try {
    return dlopen(name, {
      sd_journal_open: { args: ["ptr", "i32"], returns: "i32" },
      sd_journal_open_directory: { args: ["ptr", "ptr", "i32"], returns: "i32" },
      sd_journal_close: { args: ["ptr"], returns: "void" },
      sd_journal_set_data_threshold: { args: ["ptr", "u64"], returns: "i32" },
      sd_journal_add_match: { args: ["ptr", "ptr", "u64"], returns: "i32" },
      sd_journal_add_disjunction: { args: ["ptr"], returns: "i32" },
      sd_journal_flush_matches: { args: ["ptr"], returns: "void" },
      sd_journal_seek_tail: { args: ["ptr"], returns: "i32" },
      sd_journal_previous: { args: ["ptr"], returns: "i32" },
      sd_journal_get_data: { args: ["ptr", "ptr", "ptr", "ptr"], returns: "i32" },
    }).symbols;
  } catch {
    throw new Error(`${name} is not there`);
  }
}

/** One open journal of sd-journal(3). */
class Journal {
  readonly #lib: ReturnType<typeof openLibrary>;
  readonly #handle: Pointer;

  constructor(lib: ReturnType<typeof openLibrary>, folder: string | undefined) {
    this.#lib = lib;
    const handle = new BigUint64Array(1);
    check(
      "sd_journal_open",
      folder === undefined ? lib.sd_journal_open(handle, LOCAL_ONLY) : lib.sd_journal_open_directory(handle, cString(folder), 0),
    );
    this.#handle = Number(handle[0]) as Pointer;
    lib.sd_journal_set_data_threshold(this.#handle, FIELD_LIMIT_BYTES);
  }

  close(): void {
    this.#lib.sd_journal_close(this.#handle);
  }

  /** What the unit's processes said and what PID 1 said of it, as `systemctl status` has it. */
  lastLines(unit: string, count: number): string[] {
    this.#match(`_SYSTEMD_UNIT=${unit}`);
    check("sd_journal_add_disjunction", this.#lib.sd_journal_add_disjunction(this.#handle));
    this.#match("_PID=1");
    this.#match(`UNIT=${unit}`);
    const entries: string[][] = [];
    let lines = 0;
    this.#seekTail();
    while (lines < count && this.#previous()) {
      const entry = printable(this.#message());
      entries.push(entry);
      lines += entry.length;
    }
    return entries.reverse().flat().slice(-count);
  }

  isEmpty(): boolean {
    this.#lib.sd_journal_flush_matches(this.#handle);
    this.#seekTail();
    return !this.#previous();
  }

  #match(text: string): void {
    const bytes = Buffer.from(text);
    check("sd_journal_add_match", this.#lib.sd_journal_add_match(this.#handle, bytes, bytes.length));
  }

  #seekTail(): void {
    check("sd_journal_seek_tail", this.#lib.sd_journal_seek_tail(this.#handle));
  }

  #previous(): boolean {
    return check("sd_journal_previous", this.#lib.sd_journal_previous(this.#handle)) > 0;
  }

  /** The entry's MESSAGE, or nothing where it has none. */
  #message(): string {
    const data = new BigUint64Array(1);
    const length = new BigUint64Array(1);
    if (this.#lib.sd_journal_get_data(this.#handle, cString("MESSAGE"), data, length) < 0) return "";
    // The memory is libsystemd's until the next call: copied here.
    const field = new Uint8Array(toArrayBuffer(Number(data[0]) as Pointer, 0, Number(length[0])));
    return new TextDecoder().decode(field.slice("MESSAGE=".length));
  }
}

/** Lines fit for a terminal: no control characters, no endless ones. */
function printable(message: string): string[] {
  return message
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const shown = line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
        character === "\t" ? " " : `\\u${character.codePointAt(0)?.toString(16).padStart(4, "0")}`,
      );
      return shown.length > LINE_LIMIT ? `${shown.slice(0, LINE_LIMIT)}...` : shown;
    });
}

/** Throws for what sd-journal returns below zero, a negated errno. */
function check(name: string, result: number): number {
  if (result < 0) throw new Error(`${name} failed (errno ${-result})`);
  return result;
}
