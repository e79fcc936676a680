import { join } from "node:path";
import { expect } from "bun:test";
import { compiled } from "../harness/compiled.ts";
import { virtualHostTest } from "../harness/shared.ts";
import type { VirtualHost } from "../harness/virtual-host.ts";
import { apply, opDbus, opDbusJson } from "../session.ts";

/*
 * The power goes while something is logged, ten times on the same disk: half the time under applies by the built binary, half the time under
 * a writer that logs as fast as it can. What was acknowledged over the serial line before the cut is there after it.
 */

const CUTS = 10;
const WRITER = "/usr/local/bin/power-cut-writer";
/** The cut comes so many acknowledgements, and up to so many milliseconds, after the first. */
const MORE = { applies: 3, writer: 60 } as const;
const MOST_MS = 800;

type Work = keyof typeof MORE;

interface Entry {
  readonly kind: string;
  readonly operation?: string;
  readonly resource?: string;
  readonly detail?: unknown;
}

const virtualTest = virtualHostTest(async () => ({
  name: "alder",
  files: [{ source: await compiled(join(import.meta.dir, "power-cut-writer.ts")), path: WRITER }],
}));

virtualTest("ten power cuts: what was acknowledged is in the log, which verifies and goes on", async (host) => {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000);
  let state = seed;
  const random = () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  let before = "";
  for (let cut = 1; cut <= CUTS; cut += 1) {
    const work: Work = cut % 2 === 1 ? "applies" : "writer";
    const from = acknowledged(await host.serialLine()).length;
    await cutDuring(host, work, cut, random);
    const said = acknowledged(await host.serialLine());
    const { log, entries, durable } = await expectWhole(host, said, before, `cut ${cut}, seed ${seed}`);
    console.log(`  cut ${cut}, ${work}: ${durable - linesIn(before)} entries acknowledged, in ${said.length - from} lines; the log has ${entries}`);
    before = await expectGoesOn(host, log, cut);
  }
}, { timeoutMs: 1_200_000 });

/** Has something logged until, at some instant after the first acknowledgement, the power goes. The host is up again when it returns. */
async function cutDuring(host: VirtualHost, work: Work, cut: number, random: () => number): Promise<void> {
  const wanted = acknowledged(await host.serialLine()).length + 1 + Math.floor(random() * MORE[work]);
  const program = host.spawn(["sh", "-c", work === "applies" ? applies(cut) : `${WRITER} ${cut} >/dev/ttyS1`]);
  await host.waitUntil(async () => !program.running || acknowledged(await host.serialLine()).length >= wanted, { what: "acknowledgements", timeoutMs: 120_000 });
  await Bun.sleep(random() * MOST_MS);
  if (!program.running) throw new Error(`It ended by itself: ${program.stderr}`);
  await host.powerCut();
  await program.ended();
}

/** Applies one document after another, each of its own; op-dbus itself acknowledges them. */
function applies(cut: number): string {
  const text = JSON.stringify({ version: 1, plugins: { systemd: { units: { "demo-notify.service": { active_state: "active", properties: { MemoryMax: "@M" } } } } } });
  return `n=${cut}000; while n=$((n + 1)); do echo '${text}' | sed "s/@/$n/" >/root/cut.json; op-dbus apply /root/cut.json --yes --json >/dev/ttyS1 || exit; done`;
}

interface Acknowledged {
  /** An apply's checkpoint, which its commit entry names; or a batch. */
  readonly name: string;
  /** Of a batch: its entries. */
  readonly size?: number;
}

/** What whole lines of the serial line acknowledge. */
function acknowledged(line: string): Acknowledged[] {
  const found = line.matchAll(/^ {2}"checkpoint": "(.+)",\n|^logged (\S+) (\d+)\n/gm);
  return [...found].map(([, checkpoint, batch = "", size]) => (checkpoint === undefined ? { name: batch, size: Number(size) } : { name: checkpoint }));
}

interface Log {
  /** As exported. */
  readonly log: string;
  readonly entries: number;
  /** Up to the last acknowledged one. */
  readonly durable: number;
}

/** The log verifies, begins with what it was, has all that was acknowledged, and every batch whole. */
async function expectWhole(host: VirtualHost, said: readonly Acknowledged[], before: string, what: string): Promise<Log> {
  const verified = (await opDbus(host, 0, "audit", "verify")).stdout;
  const log = (await opDbus(host, 0, "audit", "export")).stdout;
  const entries = log.trimEnd().split("\n").map((line) => JSON.parse(line) as Entry);
  const commits = new Set(entries.filter(({ kind }) => kind === "commit").map(({ detail }) => detail));
  const batches = Map.groupBy(entries.filter(({ operation }) => operation === "power-cut"), ({ resource }) => resource ?? "");
  const lost = said.filter(({ name, size }) => (size === undefined ? !commits.has(name) : batches.get(name)?.length !== size));
  const torn = [...batches].filter(([, batch]) => batch.length !== batch[0]?.detail).map(([name]) => name);
  expect({ what, lost, torn, grew: log.startsWith(before), verified: verified.includes(`verifies: ${entries.length} entries`) })
    .toEqual({ what, lost: [], torn: [], grew: true, verified: true });
  await expectInForce(host, what);
  const last = said.at(-1)?.name;
  return { log, entries: entries.length, durable: entries.findLastIndex(({ detail, resource }) => detail === last || resource === last) + 1 };
}

/** What is in force by the books is on the disk, as systemd wrote it there. What was interrupted the next change brings to an end. */
async function expectInForce(host: VirtualHost, what: string): Promise<void> {
  const { interrupted } = await opDbusJson<{ interrupted: unknown }>(host, 0, "status");
  if (interrupted !== null) return;
  const current = await host.read("/var/lib/op-dbus/@state/current.json");
  const declared = /"MemoryMax":"([^"]+)"/.exec(current)?.[1] ?? "";
  // systemd writes "7G" in bytes.
  const bytes = Number.parseInt(declared) * 1024 ** (declared.endsWith("G") ? 3 : 2);
  const dropIn = await host.read("/etc/systemd/system.control/demo-notify.service.d/50-MemoryMax.conf");
  expect({ what, dropIn }).toEqual({ what, dropIn: expect.stringContaining(`\nMemoryMax=${bytes}\n`) });
}

/** The next changes are made and logged, after what was interrupted was brought to an end. Returns the log as it is then. */
async function expectGoesOn(host: VirtualHost, log: string, cut: number): Promise<string> {
  await opDbus(host, 0, "doctor");
  await opDbus(host, 0, "checkpoint", "create", `after-cut-${cut}`);
  await apply(host, { "demo-notify.service": { active_state: "active", properties: { MemoryMax: `${cut}G` } } });
  expect(await opDbusJson<{ interrupted: unknown }>(host, 0, "status")).toMatchObject({ interrupted: null });
  await opDbus(host, 0, "audit", "verify");
  const after = (await opDbus(host, 0, "audit", "export")).stdout;
  expect({ grew: after.startsWith(log) && after.length > log.length, marked: after.includes(`after-cut-${cut}`) }).toEqual({ grew: true, marked: true });
  return after;
}

function linesIn(text: string): number {
  return text.split("\n").length - 1;
}
