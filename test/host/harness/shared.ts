import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, test } from "bun:test";
import { CACHE } from "./folders.ts";
import type { BootOptions } from "./host.ts";
import { Host } from "./host.ts";
import type { VirtualBootOptions } from "./virtual-host.ts";
import { VirtualHost } from "./virtual-host.ts";

export interface HostTestOptions {
  /** Boots a pristine host for this test instead of using the run's shared one. */
  pristine?: true | Omit<BootOptions, "name">;
  timeoutMs?: number;
}

const JOURNALS = join(CACHE, "journals");
const DEFAULT_TIMEOUT_MS = 120_000;
/** For the first test of a file with a virtual host. */
const VIRTUAL_BOOT_MS = 300_000;

let shared: Promise<Host> | undefined;

/** The run's one host, booted when it is first asked for. It goes when the run ends: its guard sees this process die. */
export function sharedHost(): Promise<Host> {
  shared ??= Host.boot({ name: "shared" });
  return shared;
}

/** A test inside a host. When it fails, the host's journal is kept and the message says where. */
export function hostTest(name: string, run: (host: Host) => Promise<void>, options: HostTestOptions = {}): void {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  test(name, () => (options.pristine ? onPristine(name, run, options.pristine) : onShared(name, run)), timeoutMs);
}

type VirtualTest = (name: string, run: (host: VirtualHost) => Promise<void>, options?: { timeoutMs?: number }) => void;

/** What `hostTest` is, for tests on a virtual host of their file's own: it boots with the first of them, and goes after the last. */
export function virtualHostTest(options: () => Promise<VirtualBootOptions>): VirtualTest {
  let booted: Promise<VirtualHost> | undefined;
  afterAll(async () => {
    const host = await booted?.catch(() => undefined);
    await host?.[Symbol.asyncDispose]();
  });
  return (name, run, { timeoutMs = DEFAULT_TIMEOUT_MS } = {}) => {
    test.skipIf(process.arch !== "x64")(`${name}${process.arch === "x64" ? "" : " (needs x86-64)"}`, async () => {
      booted ??= options().then((chosen) => VirtualHost.boot(chosen));
      await keepingJournal(name, await booted, run);
    }, timeoutMs + VIRTUAL_BOOT_MS);
  };
}

async function onShared(name: string, run: (host: Host) => Promise<void>): Promise<void> {
  await keepingJournal(name, await sharedHost(), run);
}

async function onPristine(name: string, run: (host: Host) => Promise<void>, boot: true | Omit<BootOptions, "name">): Promise<void> {
  await using host = await Host.boot({ name: "pristine", ...(boot === true ? {} : boot) });
  await keepingJournal(name, host, run);
}

async function keepingJournal<H extends Host>(name: string, host: H, run: (host: H) => Promise<void>): Promise<void> {
  const started = Math.floor(Date.now() / 1000);
  try {
    await run(host);
  } catch (error) {
    const path = join(JOURNALS, `${name.replaceAll(/[^A-Za-z0-9]+/g, "-").slice(0, 150)}.txt`);
    const journal = await host.journal([`--since=@${started}`]).catch((reason: unknown) => `The journal cannot be had: ${reason}\n`);
    await mkdir(JOURNALS, { recursive: true });
    await Bun.write(path, journal);
    console.error(`The host's journal of the failed test "${name}" is in ${path}`);
    throw error;
  }
}
