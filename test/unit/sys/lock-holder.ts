import { createLock } from "../../../src/sys/lock.ts";

/** Holds the lock until standard input ends. */
using _held = await createLock(process.argv[2] ?? "").acquire("op-dbus apply");
console.log("held");
await Bun.stdin.text();
