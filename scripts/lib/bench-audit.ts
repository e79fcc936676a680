import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, release } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { AuditEvent } from "../../src/core/ports.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { systemClock } from "../../src/sys/clock.ts";

/*
 * Measures the audit log: durable entries a second, beside a C program that appends and syncs the same bytes as often on the same disk, and
 * how long a whole log takes to verify; and, as root, snapshots of log and state beside a C program that has BTRFS make the same.
 */

const CHECKOUT = resolve(import.meta.dir, "../..");
const { values: options } = parseArgs({
  args: Bun.argv.slice(2),
  options: { appends: { type: "string", default: "3000" }, entries: { type: "string", default: "1000000" }, folder: { type: "string", default: join(CHECKOUT, ".cache") } },
});
const [APPENDS, ENTRIES] = [Number(options.appends), Number(options.entries)];
const BLOCK = 1000;
const SNAPSHOTS = 100;
if (![APPENDS, ENTRIES].every((count) => Number.isInteger(count) && count >= BLOCK) || ENTRIES % (10 * BLOCK) !== 0) {
  console.error(`Usage: scripts/bench audit [--appends N] [--entries N] [--folder DIR]; N of at least ${BLOCK}, the entries in ${10 * BLOCK}s`);
  process.exit(2);
}

/** Like what an apply logs of one action. */
const EVENT: AuditEvent = {
  kind: "action", transaction: "2f0a7f5e-5d43-4c5b-9a61-3f1f0a7c1d22", plugin: "systemd", operation: "start active_state",
  resource: "demo-notify.service", before: "inactive", after: "active", outcome: "done",
};

function storeAt(root: string): Store {
  return openStore({ root, clock: systemClock, actor: { uid: 0, user: "root", door: "cli" }, host: { host: "bench", boot: "bench" } });
}

/** Seconds that the appends take, in one transaction, and the bytes of each. Publishing comes after and is not in it. */
async function append(store: Store, count: number, batch: number): Promise<{ seconds: number; bytes: number }> {
  const events = Array.from({ length: batch }, () => EVENT);
  await store.audit.reserve();
  const tail = join(store.paths.timing, "tail");
  const started = performance.now();
  for (let done = 0; done < count; done += batch) await store.audit.append(events);
  const seconds = (performance.now() - started) / 1000;
  const bytes = Math.round(statSync(tail).size / (count / batch));
  await store.audit.free();
  return { seconds, bytes };
}

function build(folder: string, name: string): string {
  const program = join(folder, name);
  const { exitCode, stderr } = Bun.spawnSync(["cc", "-O2", "-Wall", "-o", program, join(import.meta.dir, `${name}.c`)]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return program;
}

function byTheDisk(program: string, file: string, count: number, bytes: number): number {
  const { exitCode, stdout } = Bun.spawnSync([program, file, String(count), String(bytes)]);
  if (exitCode !== 0) throw new Error(`${program} failed`);
  return Number(stdout.toString());
}

/** Seconds that a whole log takes to verify, in a process of its own, and that one's memory at its peak. */
function verify(root: string, count: number): { seconds: number; mebibytes: number } {
  const { exitCode, stdout } = Bun.spawnSync([process.execPath, join(import.meta.dir, "verify-audit.ts"), root], { stderr: "inherit" });
  const { size, ...measured } = JSON.parse(stdout.toString() || "{}") as { size?: number; seconds: number; mebibytes: number };
  if (exitCode !== 0 || size !== count) throw new Error(`${size} entries were verified, not ${count}`);
  return measured;
}

const perSecond = (count: number, seconds: number) => `${Math.round(count / seconds).toLocaleString("en")}/s`.padStart(12);

mkdirSync(options.folder, { recursive: true });
const folder = mkdtempSync(join(options.folder, "bench-audit-"));
try {
  const fileSystem = Bun.spawnSync(["stat", "-f", "-c", "%T", folder]).stdout.toString().trim();
  console.log(`machine    ${cpus().length} x ${cpus()[0]?.model}, Linux ${release()}, ${fileSystem}\n`);
  const program = build(folder, "synced-appends");
  console.log(`${"durable appends".padEnd(44)} ${"op-dbus".padStart(12)} ${"C".padStart(12)}   ratio`);
  for (const batch of [1, 20, 100]) {
    const count = APPENDS * batch;
    const store = storeAt(join(folder, `append-${batch}`));
    const { seconds, bytes } = await append(store, count, batch);
    const least = byTheDisk(program, join(folder, `c-${batch}`), APPENDS, bytes);
    const name = `entries in ${batch === 1 ? "batches of one" : `batches of ${batch}`} (${bytes} bytes a batch)`;
    console.log(`${name.padEnd(44)} ${perSecond(count, seconds)} ${perSecond(count, least)}   ${(seconds / least).toFixed(1)}`);
  }
  console.log(`\n${`verify, one core, blocks of ${BLOCK}`.padEnd(44)} ${"seconds".padStart(12)} ${"rate".padStart(12)}   peak memory`);
  for (const count of [ENTRIES / 10, ENTRIES]) {
    const root = join(folder, `verify-${count}`);
    await append(storeAt(root), count, BLOCK);
    const { seconds, mebibytes } = verify(root, count);
    console.log(`${`${count.toLocaleString("en")} entries`.padEnd(44)} ${seconds.toFixed(1).padStart(12)} ${perSecond(count, seconds)}   ${mebibytes} MiB`);
  }
  if (process.getuid?.() === 0) {
    const { measureSnapshots } = await import("./bench-snapshots.ts");
    const { opDbus, c } = await measureSnapshots(build(folder, "snapshots"), SNAPSHOTS);
    const inMs = (seconds: number) => `${(seconds * 1000).toFixed(2)} ms`.padStart(12);
    console.log(`\n${"a snapshot of log and state (BTRFS in memory)".padEnd(44)} ${inMs(opDbus)} ${inMs(c)}   ${(opDbus / c).toFixed(1)}`);
  } else {
    console.log("\nsnapshots are not measured: a BTRFS to make them on takes root");
  }
} finally {
  rmSync(folder, { recursive: true });
}
