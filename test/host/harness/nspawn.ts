import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { exitStatus } from "./command.ts";
import type { Ground } from "./ground.ts";
import { joinCgroup } from "./ground.ts";
import type { Machine, WayIn } from "./machine.ts";
import { waitUntil } from "./wait.ts";

/** A file or folder of this machine that the host sees. */
export interface Bind {
  source: string;
  path: string;
  writable?: boolean;
}

export interface NspawnOptions {
  hostname: string;
  binds: readonly Bind[];
}

/** nspawn's exit status for a reboot asked for inside, under --keep-unit. */
const REBOOT = 133;
const BOOT_MS = 60_000;

/** A Debian host in a container: systemd as PID 1, a network of its own with only `lo`, a clock shared with this machine. Comes back when it reboots, as a machine does. */
export class Nspawn implements Machine {
  readonly #ground: Ground;
  readonly #argv: readonly string[];
  #power: { process: Bun.Subprocess; leader: number } | undefined;
  #starts = 0;
  #boots = 0;
  #off = false;
  #why = "was never started";

  constructor(ground: Ground, options: NspawnOptions) {
    this.#ground = ground;
    const binds = options.binds.map(({ source, path, writable }) => `--bind${writable ? "" : "-ro"}=${source}:${path}`);
    this.#argv = [
      ...["systemd-nspawn", "--quiet", "--boot", `--directory=${ground.root}`, `--hostname=${options.hostname}`],
      ...[`--uuid=${crypto.randomUUID()}`, "--register=no", "--keep-unit", "--console=pipe", "--private-network", "--link-journal=no"],
      ...["--resolv-conf=off", "--timezone=off", ...binds],
    ];
  }

  /** How often the host has come up. */
  get boots(): number {
    return this.#boots;
  }

  async start(): Promise<void> {
    this.#off = false;
    const console = Bun.file(join(this.#ground.folder, "console.log"));
    // After a power cut nspawn's notes on the machine of the old name are still there.
    const machine = `--machine=op-dbus-host-${++this.#starts}`;
    const process = Bun.spawn(this.#ground.enter([...this.#argv, machine]), {
      stdin: "ignore",
      stdout: console,
      stderr: console,
      // A real Debian has the unified hierarchy, whatever this machine has.
      env: { PATH: Bun.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
    });
    process.unref();
    const ended = () => process.exitCode !== null || process.signalCode !== null;
    try {
      const leader = await waitUntil<number | "none" | undefined>(() => (ended() ? "none" : findLeader(process.pid)), {
        what: "the host's PID 1",
        timeoutMs: BOOT_MS,
      });
      if (leader === "none") throw new Error(`systemd-nspawn ended with ${exitStatus(process)}`);
      this.#power = { process, leader };
      await waitUntil(() => ended() || this.#isUp(), { what: "the host's boot", timeoutMs: BOOT_MS });
      if (ended()) throw new Error(`The host went down while it booted (${exitStatus(process)})`);
    } catch (error) {
      const text = await console.text().catch(() => "");
      throw new Error(`${error instanceof Error ? error.message : error}; its console:\n${text.slice(-4000)}`, { cause: error });
    }
    this.#boots++;
    void process.exited.then(() => this.#ended(process));
  }

  /** Every process is killed; what was written stays, synced or not. */
  async cut(): Promise<void> {
    this.#off = true;
    await this.#ground.killAll();
    await this.#power?.process.exited;
  }

  /** The program is in no unit. */
  inside(argv: readonly string[]): WayIn {
    if (this.#power === undefined) throw new Error(`The host is not running: it ${this.#why}`);
    const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"];
    const line = joinCgroup(join(this.#payload, "harness"), ["nsenter", "--target", String(this.#power.leader), ...namespaces, "--", ...argv]);
    return { line, signal: signalChild };
  }

  async #isUp(): Promise<boolean> {
    const cgroup = join(this.#payload, "harness");
    await mkdir(cgroup, { recursive: true });
    const probe = Bun.spawn([...this.inside(["systemctl", "is-system-running", "--wait"]).line], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
    const state = (await probe.stdout.text()).trim();
    return state === "running" || state === "degraded";
  }

  #ended(process: Bun.Subprocess): void {
    if (this.#power?.process === process) this.#power = undefined;
    this.#why = `ended with ${exitStatus(process)}`;
    if (this.#off || exitStatus(process) !== REBOOT) return;
    this.start().catch((error: Error) => {
      this.#why = `did not come back from a reboot: ${error.message}`;
    });
  }

  get #payload(): string {
    return join(this.#ground.cgroup, "payload");
  }
}

/** The child of nspawn that is number 1 in a PID namespace of its own. */
async function findLeader(nspawn: number): Promise<number | undefined> {
  for (const child of await childrenOf(nspawn)) {
    const status = await readFile(`/proc/${child}/status`, "utf8").catch(() => "");
    if (/^NSpid:.*\t1$/m.test(status)) return child;
  }
  return undefined;
}

/** nsenter forks once, into the host's PID namespace: its only child is the program. */
async function signalChild(entry: number, signal: NodeJS.Signals): Promise<"sent" | "ended" | undefined> {
  const [program] = await childrenOf(entry).catch(() => []);
  if (program === undefined) return undefined;
  try {
    process.kill(program, signal);
    return "sent";
  } catch {
    return "ended";
  }
}

async function childrenOf(id: number): Promise<number[]> {
  const children = (await readFile(`/proc/${id}/task/${id}/children`, "utf8")).trim().split(" ");
  return children.filter((child) => child !== "").map(Number);
}
