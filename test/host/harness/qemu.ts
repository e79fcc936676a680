import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { command, exitStatus, must, shellQuote } from "./command.ts";
import type { Ground } from "./ground.ts";
import type { Machine, WayIn } from "./machine.ts";
import { waitUntil } from "./wait.ts";

/** A file of this machine that is copied onto the host's disk. */
export interface Copied {
  source: string;
  path: string;
}

export interface QemuOptions {
  hostname: string;
  files: readonly Copied[];
}

/** Emulated, and the machine may be busy with other things. */
const BOOT_MS = 240_000;
const DISK = "3G";
/** For ssh; the name is looked up nowhere. */
const HOST = "root@host";
/** BTRFS commits by itself once in `commit` seconds: until then what nobody synced is lost with the power. */
const KERNEL_ARGUMENTS = "root=/dev/vda rw rootflags=commit=3600 console=ttyS0 mitigations=off";

/**
 * A Debian host in an emulated x86-64 machine: its own kernel, two CPUs on two NUMA nodes, BTRFS, no network card. Everything goes by one SSH
 * connection over a virtio port; what is written to /dev/ttyS1 is in a file at once and outlives the power.
 */
export class Qemu implements Machine {
  readonly #ground: Ground;
  readonly #options: QemuOptions;
  #process: Bun.Subprocess | undefined;
  #boots = 0;
  #programs = 0;
  #off = false;
  #why = "was never started";

  constructor(ground: Ground, options: QemuOptions) {
    this.#ground = ground;
    this.#options = options;
  }

  get boots(): number {
    return this.#boots;
  }

  /** What was written to /dev/ttyS1 in all boots. */
  async serialLine(): Promise<string> {
    return await Bun.file(this.#file("serial.log")).text();
  }

  async start(): Promise<void> {
    this.#off = false;
    if (!existsSync(this.#file("disk"))) await this.#makeDisk();
    // What is left of the boot before, whose connection has ended.
    await this.#ground.killAll();
    for (const pipe of ["ssh.in", "ssh.out", "ssh.control"]) await rm(this.#file(pipe), { force: true });
    await must(["mkfifo", this.#file("ssh.in"), this.#file("ssh.out")]);
    const qemu = this.#run(this.#emulator(), "qemu.log");
    const connection = this.#run(this.#connection(), "ssh.log");
    const ended = () => [qemu, connection].some((process) => process.exitCode !== null || process.signalCode !== null);
    this.#process = qemu;
    try {
      await waitUntil(() => ended() || this.#isUp(), { what: "the host's boot", timeoutMs: BOOT_MS });
      if (ended()) throw new Error("The host went down while it booted");
    } catch (error) {
      await this.cut();
      const logs = await Promise.all(["qemu.log", "ssh.log", "console.log"].map((name) => Bun.file(this.#file(name)).text().catch(() => "")));
      throw new Error(`${error instanceof Error ? error.message : error}; its console:\n${logs.join("\n").slice(-4000)}`, { cause: error });
    }
    this.#boots++;
    void qemu.exited.then(() => this.#ended(qemu));
  }

  /** QEMU is killed. What the host's kernel had not written to its disk is lost. */
  async cut(): Promise<void> {
    this.#off = true;
    await this.#ground.killAll();
    await this.#process?.exited;
  }

  /** The program is in the unit harness-ssh.service. */
  inside(argv: readonly string[]): WayIn {
    if (this.#process === undefined) throw new Error(`The host is not running: it ${this.#why}`);
    const note = `/run/harness-ssh.${++this.#programs}`;
    return {
      line: this.#remote(`echo $$ >${note}; exec ${argv.map(shellQuote).join(" ")}`),
      signal: async (_, signal) => {
        const { exit } = await command(this.#remote(`[ -s ${note} ] || exit 2; kill -s ${signal.slice(3)} $(cat ${note})`));
        return exit === 2 ? undefined : exit === 0 ? "sent" : "ended";
      },
    };
  }

  #emulator(): string[] {
    const nodes = [0, 1].flatMap((node) => [
      ...["-object", `memory-backend-ram,id=memory${node},size=512M`],
      ...["-numa", `node,nodeid=${node},cpus=${node},memdev=memory${node}`],
    ]);
    const kernel = `${KERNEL_ARGUMENTS} systemd.hostname=${this.#options.hostname}`;
    return [
      ...["qemu-system-x86_64", "-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1G", ...nodes],
      ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
      ...["-kernel", join(this.#ground.root, "vmlinuz"), "-initrd", join(this.#ground.root, "initrd.img"), "-append", kernel],
      ...["-drive", `file=${this.#file("disk")},format=raw,if=virtio,cache=writeback`],
      ...["-serial", `file:${this.#file("console.log")}`],
      ...["-chardev", `file,id=line,path=${this.#file("serial.log")},append=on`, "-serial", "chardev:line"],
      ...["-device", "virtio-serial", "-chardev", `pipe,id=ssh,path=${this.#file("ssh")}`, "-device", "virtserialport,chardev=ssh,name=ssh"],
    ];
  }

  /** The one connection, open for as long as the host is up. */
  #connection(): string[] {
    const proxy = `cat ${this.#file("ssh.out")} & exec cat >${this.#file("ssh.in")}`;
    // Now and then bytes are left lying in the emulated port until more come: ssh asks every second whether anybody is there.
    const alive = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=100000"];
    const key = ["-o", `IdentityFile=${this.#file("key")}`, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
    return [...this.#ssh("ControlMaster=yes", `ProxyCommand=${proxy}`), ...key, ...alive, "-N", HOST];
  }

  /** A program's part in it; where it has ended, no other is opened. */
  #remote(script: string): string[] {
    return [...this.#ssh("ControlMaster=no", "ProxyCommand=false"), HOST, script];
  }

  #ssh(...options: string[]): string[] {
    return ["ssh", "-F", "none", "-T", ...[...options, "LogLevel=ERROR", `ControlPath=${this.#file("ssh.control")}`].flatMap((option) => ["-o", option])];
  }

  /** All of the host's root file system, with its files and a key for the way in, on a disk of its own. */
  async #makeDisk(): Promise<void> {
    const { root } = this.#ground;
    const enter = (...argv: string[]) => must(this.#ground.enter(argv), { timeoutMs: 300_000 });
    await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", this.#file("key")]);
    await enter("install", "-D", "-m", "600", this.#file("key.pub"), join(root, "root/.ssh/authorized_keys"));
    for (const { source, path } of this.#options.files) await enter("install", "-D", "-m", "755", source, join(root, path));
    const unfinished = this.#file("disk.unfinished");
    await must(["truncate", "-s", DISK, unfinished]);
    await enter("mkfs.btrfs", "--quiet", "--rootdir", root, unfinished);
    await rename(unfinished, this.#file("disk"));
  }

  async #isUp(): Promise<boolean> {
    if (!existsSync(this.#file("ssh.control"))) return false;
    const { stdout } = await command(this.inside(["systemctl", "is-system-running", "--wait"]).line, { timeoutMs: BOOT_MS });
    return ["running", "degraded"].includes(stdout.trim());
  }

  /** An orderly end is a reboot: the host has no other reason to go down. */
  #ended(process: Bun.Subprocess): void {
    this.#why = `ended with ${exitStatus(process)}`;
    if (this.#process === process) this.#process = undefined;
    if (this.#off || exitStatus(process) !== 0) return;
    this.start().catch((error: Error) => {
      this.#why = `did not come back from a reboot: ${error.message}`;
    });
  }

  #run(argv: readonly string[], log: string): Bun.Subprocess {
    const output = Bun.file(this.#file(log));
    const process = Bun.spawn(this.#ground.enter(argv), { stdin: "ignore", stdout: output, stderr: output, env: { PATH: Bun.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin" } });
    process.unref();
    return process;
  }

  #file(name: string): string {
    return join(this.#ground.folder, name);
  }
}
