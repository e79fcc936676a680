import type { Plugin } from "../../src/core/plugin.ts";
import type { Clock } from "../../src/core/ports.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { Host } from "../../src/engine/host.ts";
import { applyTo, documentOf, rollBack } from "./fixture.ts";
import { Instants } from "./instants.ts";
import { documents, edits, SECRETS, type Edit } from "./memory-documents.ts";
import { MemoryClock, MemoryDisk, openMemoryHost } from "./memory-host.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { createMemoryPlugin } from "./memory-plugin.ts";
import type { Change, MortalSubject } from "./recovery.ts";
import type { SecretiveFixture, SecretiveSubject } from "./secrecy.ts";

/** Two memory plugins, so that steps and events cross, on hosts and a state directory in memory. */
export class MemoryWorld implements SecretiveFixture<Edit> {
  readonly disk = new MemoryDisk();
  readonly clock: Clock = new MemoryClock();
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

  async run(change: Change, instant: number): Promise<boolean> {
    const instants = new Instants(instant);
    this.memory.instants = this.second.instants = instants;
    try {
      await make(change, await this.open(instants));
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

async function make(change: Change, host: Host): Promise<void> {
  if (change.do === "apply") await applyTo(host, change.document, { force: true });
  else if (change.do === "roll back") await rollBack(host);
  else await new Engine(host).change("recover", { force: false, observer: {}, recovered: () => undefined }, () => Promise.resolve());
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
} satisfies MortalSubject<Edit> & SecretiveSubject<Edit>;
