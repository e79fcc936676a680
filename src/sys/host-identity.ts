import { readFileSync } from "node:fs";

/** Which machine, and which of its boots. */
export interface HostIdentity {
  readonly host: string;
  /** The kernel's id of this boot; empty where /proc does not tell. */
  readonly boot: string;
}

/** As the kernel has it now. */
export function readHostIdentity(): HostIdentity {
  return { host: kernelText("hostname"), boot: kernelText("random/boot_id") };
}

function kernelText(name: string): string {
  try {
    return readFileSync(`/proc/sys/kernel/${name}`, "utf8").trim();
  } catch {
    return "";
  }
}
