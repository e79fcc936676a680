import { dlopen, type FFIFunction } from "bun:ffi";
import { closeSync, readFileSync, writeFileSync } from "node:fs";
import { codeOf, messageOf, OpError } from "../../core/errors.ts";
import { cString, errno, libc } from "../libc.ts";
import { LIBRARY } from "./library-file.ts";

/** memfd_create(2), linux/memfd.h. */
const MFD_CLOEXEC = 1;
const MFD_NOEXEC_SEAL = 8;
const EINVAL = 22;

/** native/op-dbus.h. A result below zero is a negated errno; `check` in failure.ts makes an error of it. */
const FUNCTIONS = {
  opd_btrfs_kind: { args: ["i32"], returns: "i32" },
  opd_btrfs_create: { args: ["i32", "ptr"], returns: "i32" },
  opd_btrfs_snapshot: { args: ["i32", "i32", "ptr", "i32"], returns: "i32" },
  opd_btrfs_delete: { args: ["i32", "ptr"], returns: "i32" },
  opd_btrfs_set_read_only: { args: ["i32", "i32"], returns: "i32" },
  opd_btrfs_info: { args: ["i32", "ptr"], returns: "i32" },
  opd_btrfs_set_received: { args: ["i32", "ptr", "u64"], returns: "i32" },
  opd_btrfs_sync: { args: ["i32"], returns: "i32" },
  opd_btrfs_next: { args: ["i32", "u64", "ptr"], returns: "i32" },
  opd_btrfs_lookup: { args: ["i32", "ptr"], returns: "i32" },
  opd_btrfs_send: { args: ["i32", "i32", "u64", "ptr", "u32", "u64"], returns: "i32" },
  opd_attribute_get: { args: ["i32", "ptr", "ptr", "u64"], returns: "i32" },
  opd_attribute_set: { args: ["i32", "ptr", "ptr", "u64"], returns: "i32" },
  opd_attribute_remove: { args: ["i32", "ptr"], returns: "i32" },
  opd_cpu_get_affinity: { args: ["i32", "ptr", "u64"], returns: "i32" },
  opd_cpu_set_affinity: { args: ["i32", "ptr", "u64"], returns: "i32" },
  opd_memory_get_policy: { args: ["ptr", "ptr", "u64"], returns: "i32" },
  opd_memory_set_policy: { args: ["i32", "ptr", "u64"], returns: "i32" },
  opd_memory_bind: { args: ["ptr", "u64", "i32", "ptr", "u64", "u32"], returns: "i32" },
  opd_netlink_open: { args: ["i32"], returns: "i32" },
  opd_netlink_port: { args: ["i32", "ptr"], returns: "i32" },
  opd_netlink_option: { args: ["i32", "i32", "i32"], returns: "i32" },
  opd_netlink_send: { args: ["i32", "ptr", "u64"], returns: "i32" },
  opd_netlink_receive: { args: ["i32", "ptr", "u64", "ptr"], returns: "i32" },
  opd_echo_open: { args: ["ptr", "u64", "u32"], returns: "i32" },
  opd_echo_send: { args: ["i32", "i32", "u32", "u32"], returns: "i32" },
  opd_echo_receive: { args: ["i32", "i32", "u32", "u32"], returns: "i32" },
  opd_watch: { args: ["i32"], returns: "i32" },
} as const satisfies Record<string, FFIFunction>;

let loaded: ReturnType<typeof load> | undefined;

/** The native library, loaded when it is first asked for. Throws kind unavailable where it cannot be. */
export function native(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}

/** From memory: nothing is written to a disk, so that no folder needs to be writable, or mounted without noexec. */
function load() {
  const bytes = readLibrary();
  const fd = createMemoryFile("op-dbus-native");
  try {
    writeFileSync(fd, bytes);
    return dlopen(`/proc/self/fd/${fd}`, FUNCTIONS).symbols;
  } catch (cause) {
    const hint = "It needs glibc 2.34 or later (Debian 12), or musl 1.2 in the binary that is built for it, and /proc";
    throw new OpError("unavailable", `The native library cannot be loaded: ${messageOf(cause)}`, { cause, hint });
  } finally {
    closeSync(fd);
  }
}

function readLibrary(): Uint8Array {
  try {
    return readFileSync(LIBRARY);
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause;
    const hint = "make -C native builds it; that needs make, gcc, libc6-dev and linux-libc-dev";
    throw new OpError("unavailable", `The native library ${LIBRARY} is not built`, { cause, hint });
  }
}

/** Not executable as a program, which vm.memfd_noexec may demand and mapping does not need. Linux before 6.3 does not know the flag. */
function createMemoryFile(name: string): number {
  for (const flags of [MFD_CLOEXEC | MFD_NOEXEC_SEAL, MFD_CLOEXEC]) {
    const fd = libc().memfd_create(cString(name), flags);
    if (fd >= 0) return fd;
    const code = errno();
    if (code !== EINVAL) throw new OpError("unavailable", `The native library cannot be loaded: memfd_create failed (errno ${code})`);
  }
  throw new OpError("unavailable", "The native library cannot be loaded: memfd_create takes no flags");
}
