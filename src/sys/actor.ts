import { readFileSync } from "node:fs";
import type { Actor } from "../core/ports.ts";

/** What the kernel says where a login uid or a session was never set. */
const UNSET = 4294967295;

/** Who runs this process. `door` is how they came in: "cli" or "dbus". */
export function readActor(door: string): Actor {
  const uid = process.getuid?.() ?? 0;
  const loginUid = kernelNumber("/proc/self/loginuid");
  const session = kernelNumber("/proc/self/sessionid");
  const claimedSudoUser = process.env.SUDO_USER;
  return {
    uid,
    user: userName(uid),
    ...(loginUid === undefined ? {} : { loginUid }),
    ...(session === undefined ? {} : { session }),
    // The environment is the user's own: it is cut to what a user name can be, and only ever called a claim.
    ...(claimedSudoUser !== undefined && /^[\w.@$-]{1,64}$/.test(claimedSudoUser) ? { claimedSudoUser } : {}),
    door,
  };
}

/** The user's name by /etc/passwd, or the number where it has none. */
export function userName(uid: number, passwd = "/etc/passwd"): string {
  const line = (readIfThere(passwd) ?? "").split("\n").find((entry) => entry.split(":")[2] === String(uid));
  return line?.split(":")[0] || String(uid);
}

function kernelNumber(path: string): number | undefined {
  const text = readIfThere(path)?.trim() ?? "";
  const value = /^\d+$/.test(text) ? Number(text) : UNSET;
  return value === UNSET ? undefined : value;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
