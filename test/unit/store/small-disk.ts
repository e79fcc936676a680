import { join } from "node:path";
import { isRoot } from "../sys/scratch.ts";

/** How one attempt went: kind "fine" with what was found, or the error's kind, message and the system's code. */
export interface Outcome {
  readonly kind: string;
  readonly message?: string;
  readonly code?: string;
  readonly [found: string]: unknown;
}

export interface DiskReport {
  readonly root: string;
  readonly steps: Readonly<Record<string, Outcome>>;
}

export interface DiskOptions {
  /** A function of disk-scenarios.ts. */
  readonly scenario: string;
  /** The size of the file system of its own; without it the folder is used as it is, by another user. */
  readonly bytes?: number;
}

const UNSHARE = ["unshare", ...(isRoot ? [] : ["--map-root-user"]), "--mount"];

/** True where a process can have mounts that nobody else sees. */
export const hasNamespaces = Bun.which("unshare") !== null && Bun.spawnSync([...UNSHARE, "mount", "-t", "tmpfs", "op-dbus-test", "/mnt"]).success;

/** Runs a scenario on a state directory, on a file system of its own that is gone with it, and returns what it reports. */
export async function runOnDisk(folder: string, { scenario, bytes }: DiskOptions): Promise<DiskReport> {
  const program = [process.execPath, join(import.meta.dir, "disk-scenarios.ts"), scenario, folder];
  const mount = `mount -t tmpfs -o size=${bytes ?? 0},mode=755 op-dbus-test "$1" && shift && exec "$@"`;
  const command =
    bytes === undefined
      ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...program]
      : [...UNSHARE, "sh", "-c", mount, "sh", folder, ...program];
  const child = Bun.spawn(command, { stderr: "pipe", cwd: "/" });
  const [out, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if (errors !== "") throw new Error(errors);
  return JSON.parse(out) as DiskReport;
}
