import { realpath } from "node:fs/promises";
import { BINARY, Host } from "./host.ts";
import { builtBinary, requireRoot } from "./folders.ts";
import { Ground } from "./ground.ts";
import { image } from "./image.ts";
import type { Copied } from "./qemu.ts";
import { Qemu } from "./qemu.ts";

export interface VirtualBootOptions {
  /** Its hostname. */
  name: string;
  /** Copied onto its disk, executable, beside dist/op-dbus as /usr/local/bin/op-dbus. */
  files?: readonly Copied[];
}

/** A throw-away Debian host with a kernel, a disk and two NUMA nodes of its own. It boots in 13 to 30 s. */
export class VirtualHost extends Host {
  readonly #qemu: Qemu;

  private constructor(name: string, ground: Ground, qemu: Qemu) {
    super(name, ground, qemu);
    this.#qemu = qemu;
  }

  static override async boot({ name, files = [] }: VirtualBootOptions): Promise<VirtualHost> {
    requireRoot();
    const binary = { source: await realpath(builtBinary()), path: BINARY };
    const ground = await Ground.prepare(await image("virtual"));
    const qemu = new Qemu(ground, { hostname: name, files: [binary, ...files] });
    try {
      await qemu.start();
    } catch (error) {
      await ground[Symbol.asyncDispose]();
      throw error;
    }
    return new VirtualHost(name, ground, qemu);
  }

  /** What was written to /dev/ttyS1 in all boots, up to now; also just before the power was cut. */
  async serialLine(): Promise<string> {
    return (await this.#qemu.serialLine()).replaceAll("\r\n", "\n");
  }
}
