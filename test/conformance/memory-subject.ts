import type { Plugin } from "../../src/core/plugin.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { Host } from "../../src/engine/host.ts";
import { applyTo, documentOf, rollBack } from "./fixture.ts";
import type { HeldFixture, HeldSubject, Lapse } from "./held.ts";
import { Instants } from "./instants.ts";
import { documents, edits, SECRETS, type Edit } from "./memory-documents.ts";
import { MemoryClock, MemoryDisk, openMemoryHost } from "./memory-host.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { createMemoryPlugin } from "./memory-plugin.ts";
import type { Change } from "./recovery.ts";
import type { SecretiveFixture, SecretiveSubject } from "./secrecy.ts";

/** Two memory plugins, so that steps and events cross, on hosts and a state directory in memory. */
export class MemoryWorld implements SecretiveFixture<Edit>, HeldFixture<Edit> {
  readonly disk = new MemoryDisk();
  readonly clock = new MemoryClock();
  readonly memory = new MemoryPeer();
  readonly second = new MemoryPeer();
  plugins: readonly Plugin[] = [createMemoryPlugin(this.memory), createMemoryPlugin(this.second, "second")];

  open(instants = new Instants()): Promise<Host> {
    return Promise.resolve(openMemoryHost({ disk: this.disk, plugins: this.plugins, clock: this.clock, instants }));
  }

  writes(): number {
    return this.memory.writes + this.second.writes;
  }

  edit({ plugin, name, keys, anew }: Edit): Promise<void> {
    const peer = plugin === "second" ? this.second : this.memory;
    if (anew || keys === undefined) peer.drop(name);
    if (keys !== undefined) peer.put(name, keys);
    return Promise.resolve();
  }

  run(change: Change, instant: number): Promise<boolean> {
    return this.#process(instant, (host) => make(change, host));
  }

  async lapse(how: Lapse, instant = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { guards } = this.disk;
    if (how === "reboot") {
      guards.timer = undefined;
      this.clock.reboot();
    } else await this.clock.sleep(WITHIN_MS);
    const guard = (at: number) => this.#process(at, async (host) => void (await new Engine(host).recover({ guard: true, observer: {}, recovered: () => undefined })));
    if (how === "reboot" ? !guards.boot : guards.timer === undefined) return false;
    const killed = await guard(instant);
    if (killed) await guard(Number.POSITIVE_INFINITY);
    return killed;
  }

  guarded(): boolean {
    return this.disk.guards.boot || this.disk.guards.timer !== undefined;
  }

  async #process(instant: number, work: (host: Host) => Promise<unknown>): Promise<boolean> {
    const instants = new Instants(instant);
    this.memory.instants = this.second.instants = instants;
    try {
      await work(await this.open(instants));
    } catch (error) {
      if (!instants.dead) throw error;
    } finally {
      this.memory.instants = this.second.instants = new Instants();
    }
    return instants.dead;
  }

  stored(): string {
    const { secrets: _, lock: __, ...rest } = this.disk;
    return JSON.stringify(rest);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const WITHIN_MS = 60_000;

async function make(change: Change, host: Host): Promise<void> {
  const quiet = { observer: {}, recovered: () => undefined };
  switch (change.do) {
    case "apply":
      return void (await applyTo(host, change.document, { force: true }));
    case "hold":
      return void (await applyTo(host, change.document, { force: true, confirmWithinMs: WITHIN_MS }));
    case "confirm":
      return void (await new Engine(host).confirm({ ...quiet, force: false, prove: () => ({ proven: true, what: "by a test" }) }));
    case "roll back":
      return void (await rollBack(host));
    case "recover":
      return void (await new Engine(host).recover({ ...quiet, guard: false }));
  }
}

const README = `${import.meta.dir}/README.md`;

export const memorySubject = {
  name: "memory plugin, state directory in memory",
  make: () => Promise.resolve(new MemoryWorld()),
  documents,
  edits,
  rich: documentOf({
    memory: {
      items: {
        a: { value: "x", up: true, pulls: "dep", members: ["m1"], password: SECRETS[0], properties: { p: 7 } },
        b: { level: 2, complete: ["m2"] },
        dep: { value: true },
      },
    },
    second: { items: { a: { up: true, needs: "memory:a up" } } },
  }),
  oneWay: [documentOf({ memory: { items: { a: { fuse: "burnt", value: "x" }, b: { up: true, fuse: "burnt" } } } })],
  readmes: { memory: README, second: README },
  secrets: SECRETS,
  runs: 150,
} satisfies HeldSubject<Edit> & SecretiveSubject<Edit>;
