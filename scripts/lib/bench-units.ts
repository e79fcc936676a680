import { cpus, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Host } from "../../test/host/harness/host.ts";

/** What one way of doing it took, over several runs. */
interface Measured {
  medianMs: number;
  slowestMs: number;
  runs: number;
}

/** One line of the table: the same units in the same state, both programs. */
interface Row {
  what: string;
  opDbus: Measured;
  ansible?: Measured;
  /** What this project promises; either may be absent. */
  bar: { ratio?: number; ms?: number };
}

const KINDS = { notify: "demo-bulk", exec: "demo-bulkexec" } as const;
type Kind = keyof typeof KINDS;

const PLAN_RATIO = 100;
const APPLY_RATIO = 30;
const MAX_UNITS = 200;

const { values: options } = parseArgs({
  args: Bun.argv.slice(2),
  options: { units: { type: "string", default: "20,200" }, runs: { type: "string", default: "11" }, "ansible-runs": { type: "string", default: "3" } },
});
const COUNTS = options.units.split(",").map(Number);
const RUNS = Number(options.runs);
const ANSIBLE_RUNS = Number(options["ansible-runs"]);
if (![...COUNTS, RUNS, ANSIBLE_RUNS].every((n) => Number.isInteger(n) && n > 0) || COUNTS.some((n) => n > MAX_UNITS)) {
  console.error("Usage: scripts/bench [--units 20,200] [--runs N] [--ansible-runs N]");
  process.exit(2);
}
/** An exec unit must stay up for three seconds to count as started, however many there are: a few of them show it. */
const MOST_EXEC = 20;
/** With hundreds of units ansible takes minutes a run. */
const MANY = 50;

class Bench {
  readonly #host: Host;
  readonly rows: Row[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  async startUp(): Promise<void> {
    const opDbus = await this.#measure(["op-dbus", "version"], { runs: 2 * RUNS });
    this.#add({ what: "op-dbus version (start-up)", opDbus, bar: { ms: 25 } });
  }

  /** All measurements for `count` units of a kind. Ansible gets its fastest plain form: no fact gathering, local connection, one task. */
  async units(kind: Kind, count: number): Promise<void> {
    const units = Array.from({ length: count }, (_, n) => `${KINDS[kind]}-${String(n + 1).padStart(3, "0")}.service`);
    const state = `/root/${kind}-${count}.json`;
    const playbook = `/root/${kind}-${count}.yml`;
    await this.#host.write(state, stateOf(units));
    await this.#host.write(playbook, playbookOf(units));
    const off = `systemctl disable --now ${units.join(" ")}; systemctl reset-failed`;
    const on = `systemctl enable --now ${units.join(" ")}`;
    const ansible = ["ansible-playbook", "--inventory", "localhost,", playbook];
    const slowly = { runs: count > MANY ? 1 : ANSIBLE_RUNS, warmUps: 0 };
    const name = `${count} units, Type=${kind}`;

    await this.#host.must(["bash", "-c", off]);
    this.#add({
      what: `${name}: plan | --check, all to change`,
      opDbus: await this.#measure(["op-dbus", "plan", state], { exit: 3 }),
      ansible: await this.#measure([...ansible, "--check"], slowly),
      bar: { ratio: PLAN_RATIO, ...(count === 200 && { ms: 45 }) },
    });
    this.#add({
      what: `${name}: apply, all to change`,
      opDbus: await this.#measure(["op-dbus", "apply", state, "--yes"], { reset: off }),
      ansible: await this.#measure(ansible, { ...slowly, reset: off }),
      bar: { ratio: APPLY_RATIO },
    });
    await this.#host.must(["bash", "-c", on]);
    this.#add({
      what: `${name}: plan | --check, nothing to change`,
      opDbus: await this.#measure(["op-dbus", "plan", state]),
      ansible: await this.#measure([...ansible, "--check"], slowly),
      bar: { ratio: PLAN_RATIO, ...(count === 200 && { ms: 45 }) },
    });
    this.#add({
      what: `${name}: apply, nothing to change`,
      opDbus: await this.#measure(["op-dbus", "apply", state, "--yes"]),
      ansible: await this.#measure(ansible, slowly),
      bar: { ratio: APPLY_RATIO, ...(count === 20 && { ms: 50 }) },
    });
    await this.#host.must(["bash", "-c", off]);
  }

  /** Measured inside the host, from before the start of the process to its end. A run that does not end as expected stops the benchmark. */
  async #measure(argv: readonly string[], settings: { runs?: number; reset?: string; exit?: number; warmUps?: number } = {}): Promise<Measured> {
    const { runs = RUNS, reset = ":", exit = 0, warmUps = 1 } = settings;
    const result = await this.#host.must(["/root/measure.sh", String(warmUps), String(runs), reset, ...argv], { timeoutMs: 3_600_000, cwd: "/root" });
    const lines = result.stdout.trim().split("\n").map((line) => line.split(" ").map(Number) as [number, number]);
    const wrong = lines.find(([status]) => status !== exit);
    if (wrong !== undefined) {
      throw new Error(`${argv.join(" ")} ended with ${wrong[0]}, not ${exit}:\n${(await this.#host.read("/tmp/measure.out")).slice(-4000)}`);
    }
    const ms = lines.map(([, microseconds]) => microseconds / 1000).sort((a, b) => a - b);
    return { medianMs: ms[Math.floor(ms.length / 2)] ?? NaN, slowestMs: ms.at(-1) ?? NaN, runs: ms.length };
  }

  #add(row: Row): void {
    this.rows.push(row);
    console.log(format(row));
  }
}

function stateOf(units: readonly string[]): string {
  const entries = units.map((unit) => [unit, { active_state: "active", enabled: true }]);
  return JSON.stringify({ version: 1, plugins: { systemd: { units: Object.fromEntries(entries) } } }, null, 2) + "\n";
}

function playbookOf(units: readonly string[]): string {
  return [
    "- hosts: localhost",
    "  connection: local",
    "  gather_facts: false",
    "  vars: { ansible_python_interpreter: /usr/bin/python3 }",
    "  tasks:",
    "    - ansible.builtin.systemd: { name: '{{ item }}', enabled: true, state: started }",
    `      loop: ${JSON.stringify(units)}`,
    "",
  ].join("\n");
}

const HEADER = `${"".padEnd(58)} ${"op-dbus".padStart(10)} ${"slowest".padStart(10)} ${"ansible".padStart(11)} ${"ratio".padStart(7)}   bar`;

function format({ what, opDbus, ansible, bar }: Row): string {
  const columns = [
    what.padEnd(58),
    `${opDbus.medianMs.toFixed(1)} ms`.padStart(10),
    `${opDbus.slowestMs.toFixed(1)} ms`.padStart(10),
    (ansible ? `${ansible.medianMs.toFixed(0)} ms` : "").padStart(11),
    (ansible ? `${ratio({ opDbus, ansible }).toFixed(0)} x` : "").padStart(7),
  ];
  const promised = [bar.ratio && `${bar.ratio} x`, bar.ms && `${bar.ms} ms`].filter(Boolean).join(", ");
  return `${columns.join(" ")}   ${promised}: ${missed({ what, opDbus, bar, ...(ansible && { ansible }) }) ? "MISSED" : "met"}`;
}

function ratio(row: { opDbus: Measured; ansible: Measured }): number {
  return row.ansible.medianMs / row.opDbus.medianMs;
}

function missed({ opDbus, ansible, bar }: Row): boolean {
  const tooSlow = bar.ms !== undefined && opDbus.medianMs > bar.ms;
  const tooClose = bar.ratio !== undefined && ansible !== undefined && ratio({ opDbus, ansible }) < bar.ratio;
  return tooSlow || tooClose;
}

async function printVersions(host: Host): Promise<void> {
  const inside = async (script: string) => (await host.must(["sh", "-c", script])).stdout.trim().split("\n")[0];
  console.log(`machine    ${cpus().length} x ${cpus()[0]?.model}, Linux ${release()}`);
  console.log(`host       ${await inside('. /etc/os-release; echo "$PRETTY_NAME"')}, ${await inside("systemctl --version")}`);
  console.log(`op-dbus    ${await inside("op-dbus version")} (Bun ${Bun.version})`);
  console.log(`ansible    ${await inside("ansible --version")}, ansible-core ${await inside("dpkg-query -Wf '${Version}' ansible-core")}, ${await inside("python3 --version")}`);
  console.log(`runs       op-dbus ${RUNS}, ansible ${ANSIBLE_RUNS} (1 for more than ${MANY} units); medians; op-dbus has one more run first, not counted; times include the start of the process\n`);
}

await using host = await Host.boot({ name: "bench", variant: "bench" });
await host.put(join(import.meta.dir, "measure.sh"), "/root/measure.sh", 0o755);
await printVersions(host);
console.log(HEADER);
const bench = new Bench(host);
await bench.startUp();
for (const count of COUNTS) {
  await bench.units("notify", count);
  if (count <= MOST_EXEC) await bench.units("exec", count);
}
const short = bench.rows.filter(missed);
console.log(short.length === 0 ? "\nAll bars are met." : `\n${short.length} of ${bench.rows.length} bars are missed.`);
process.exitCode = short.length === 0 ? 0 : 1;
