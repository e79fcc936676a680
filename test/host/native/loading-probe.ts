import { dlopen } from "bun:ffi";
import { readFileSync } from "node:fs";
import { messageOf } from "../../../src/core/errors.ts";
import { isBtrfs } from "../../../src/sys/native/btrfs.ts";
import { LIBRARY } from "../../../src/sys/native/library-file.ts";

/*
 * A program that uses the native library, and what comes of it. It is compiled for loading.test.ts, and run in places where a library
 * cannot be written to a disk, or not be executed there.
 */

const inMemory = () => readFileSync("/proc/self/maps", "utf8").includes("/memfd:op-dbus-native");

function attempt(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return messageOf(error);
  }
}

const before = inMemory();
const answer = attempt(() => isBtrfs("/proc"));
const after = inMemory();
// Bun's own way, as a witness for what the place allows: it extracts the library to a temporary folder.
const extracted = attempt(() => dlopen(LIBRARY, { opd_btrfs_kind: { args: ["i32"], returns: "i32" } }).symbols.opd_btrfs_kind(-1));
console.log(JSON.stringify({ before, answer, after, extracted: typeof extracted === "number" }));
