import { dlopen, read } from "bun:ffi";
import { OpError } from "../core/errors.ts";

/** glibc's and musl's names for the C library. */
const LIBRARIES = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`, "libc.so"];

function open(name: string) {
  return dlopen(name, {
    flock: { args: ["i32", "i32"], returns: "i32" },
    clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
    memfd_create: { args: ["ptr", "u32"], returns: "i32" },
    strerror: { args: ["i32"], returns: "cstring" },
    __errno_location: { args: [], returns: "ptr" },
  }).symbols;
}

let opened: ReturnType<typeof open> | undefined;

/** The C library that this process runs on: what is needed where, or before, the native library is not. */
export function libc(): ReturnType<typeof open> {
  if (opened !== undefined) return opened;
  for (const name of LIBRARIES) {
    try {
      opened = open(name);
      return opened;
    } catch {
      // The next name.
    }
  }
  throw new OpError("internal", `The C library cannot be opened: it is none of ${LIBRARIES.join(", ")}`);
}

/** Why the call before failed. Nothing may come between the two. */
export function errno(): number {
  const location = libc().__errno_location();
  if (location === null) throw new OpError("internal", "The C library has no errno");
  return read.i32(location, 0);
}

/** What an errno means, in English. */
export function strerror(number: number): string {
  return String(libc().strerror(number));
}

/** Text as C has it. Throws for text that C would read only a part of. */
export function cString(text: string): Buffer {
  if (text.includes("\0")) throw new OpError("invalid", `${JSON.stringify(text)} has a NUL character in it`);
  return Buffer.from(`${text}\0`);
}
