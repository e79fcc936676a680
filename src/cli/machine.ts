import { dirname, resolve } from "node:path";
import type { UnitLog } from "../core/ports.ts";

/** What `doctor` looks at, and `report` takes along. Nothing here starts or changes anything. */
export interface Machine {
  readonly hostname: string;
  readonly uid: number;
  readonly user: string;
  /** "6.12.38+deb13-amd64 x64". */
  readonly kernel: string;
  /** "Debian GNU/Linux 13 (trixie)". */
  readonly system: string;
  stateDirectory(): StateDirectoryFacts;
  /** Whether the state directory's own folders are subvolumes, of which there can be snapshots; undefined while they are not made. */
  onSubvolumes(): Promise<boolean | undefined>;
  /** Why units' words cannot be had; undefined where they can. */
  unitLogTrouble(): Promise<string | undefined>;
  /** Throws kind unavailable. */
  manager(): Promise<ManagerFacts>;
}

export interface ManagerFacts {
  /** systemd's version, in its own spelling. */
  readonly version: string;
  /** The door it was reached by: the system bus, or process 1's own socket. */
  readonly door: string;
}

export interface StateDirectoryFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly writable: boolean;
  /** "btrfs", "ext4"; of the nearest folder that exists. */
  readonly fileSystem: string;
}

/** What the machine is asked through, handed over by main.ts. */
export interface MachineSources {
  readonly actor: { readonly uid: number; readonly user: string };
  readonly hostname: string;
  readonly root: string;
  readText(path: string): string | undefined;
  exists(path: string): boolean;
  unitLog(): Promise<UnitLog>;
  onSubvolumes(): Promise<boolean | undefined>;
  /** Throws where this process may not write. */
  checkWritable(path: string): void;
  manager(): Promise<ManagerFacts>;
}

/** The unit that stands for the machine as a whole; its words are there wherever there is a journal. */
const ANY_UNIT = "init.scope";

export function createMachine(sources: MachineSources): Machine {
  const { actor, hostname, manager, onSubvolumes, unitLog, readText } = sources;
  return {
    hostname,
    uid: actor.uid,
    user: actor.user,
    get kernel() {
      return `${readText("/proc/sys/kernel/osrelease")?.trim() ?? "unknown"} ${process.arch}`;
    },
    get system() {
      const text = readText("/etc/os-release") ?? "";
      return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? "unknown";
    },
    stateDirectory: () => stateDirectoryFacts(sources),
    onSubvolumes,
    async unitLogTrouble() {
      const [line = ""] = (await unitLog()).lastLines(ANY_UNIT, 1);
      return /^\((the unit's log could not be read.*)\)$/.exec(line)?.[1];
    },
    manager,
  };
}

function stateDirectoryFacts({ root, exists, checkWritable, readText }: MachineSources): StateDirectoryFacts {
  const path = resolve(root);
  let there = path;
  while (!exists(there) && dirname(there) !== there) there = dirname(there);
  return {
    path,
    exists: there === path,
    writable: succeeds(() => checkWritable(there)),
    fileSystem: fileSystemOf(readText("/proc/self/mountinfo") ?? "", there),
  };
}

/** The type of the file system that a path lies on, by proc_pid_mountinfo(5): the deepest mount above it, the last one made there. */
export function fileSystemOf(mountinfo: string, path: string): string {
  let best = { point: "", type: "unknown" };
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const point = (before.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const above = point === "/" || path === point || path.startsWith(`${point}/`);
    if (point !== "" && above && point.length >= best.point.length) best = { point, type: after.split(" ")[0] ?? "unknown" };
  }
  return best.type;
}

function succeeds(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
