import { expect } from "bun:test";
import type { Host, Result } from "./harness/host.ts";

export type Units = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export const STATE = "/root/state.json";

/** Undoes, with systemd's own tools, whatever an earlier test did to the demo units, and forgets op-dbus's history. */
export async function fresh(host: Host): Promise<void> {
  const script = `
    systemctl unmask --quiet $(systemctl list-unit-files --plain --no-legend --state=masked 'demo-*' | cut -d' ' -f1) 2>/dev/null
    systemctl stop 'demo-*'
    systemctl disable --quiet $(systemctl list-unit-files --plain --no-legend --state=enabled 'demo-*' | cut -d' ' -f1) 2>/dev/null
    rm -rf /etc/systemd/system.control /etc/op-dbus /var/lib/op-dbus /var/lib/demo/* /root/*.json
    systemctl daemon-reload
    systemctl reset-failed`;
  await host.must(["sh", "-c", script]);
}

/** A state document that declares these units. */
export function document(units: Units): string {
  return JSON.stringify({ version: 1, plugins: { systemd: { units } } }, undefined, 2);
}

export async function declare(host: Host, units: Units, path = STATE): Promise<void> {
  await host.write(path, document(units));
}

/** Runs op-dbus as root without a terminal, and expects an exit code. */
export async function opDbus(host: Host, exit: number, ...args: string[]): Promise<Result> {
  const result = await host.run(["op-dbus", ...args], { cwd: "/root" });
  if (result.exit !== exit) {
    throw new Error(`op-dbus ${args.join(" ")}: exit ${result.exit}, expected ${exit}\n${result.stdout}\n${result.stderr}`);
  }
  return result;
}

/** The only document on standard output of a command given --json. */
export async function opDbusJson<T>(host: Host, exit: number, ...args: string[]): Promise<T> {
  const { stdout } = await opDbus(host, exit, ...args, "--json");
  return JSON.parse(stdout) as T;
}

/** Declares and applies, and expects an exit code. */
export async function apply(host: Host, units: Units, exit = 0, ...options: string[]): Promise<Result> {
  await declare(host, units);
  return await opDbus(host, exit, "apply", STATE, "--yes", ...options);
}

/** What systemctl, and so systemd itself, says of a unit: "active/enabled". */
export async function shown(host: Host, unit: string): Promise<string> {
  const active = (await host.run(["systemctl", "is-active", unit])).stdout.trim();
  const enabled = (await host.run(["systemctl", "is-enabled", unit])).stdout.trim();
  return `${active}/${enabled}`;
}

export async function property(host: Host, unit: string, name: string): Promise<string> {
  return (await host.must(["systemctl", "show", "--value", `--property=${name}`, unit])).stdout.trim();
}

/** The section that query prints, without what can only be seen. */
export async function queried(host: Host): Promise<Record<string, Record<string, unknown>>> {
  const { plugins } = await opDbusJson<{ plugins: { systemd: { units: Record<string, Record<string, unknown>> } } }>(host, 0, "query");
  return Object.fromEntries(
    Object.entries(plugins.systemd.units).map(([name, { observed: _, ...declared }]) => [name, declared]),
  );
}

/** Expects that op-dbus says something, however the lines are wrapped. */
export function expectLine(result: Result, ...texts: string[]): void {
  const said = `${result.stdout}\n${result.stderr}`.replaceAll(/\s+/g, " ");
  for (const text of texts) expect(said).toContain(text);
}

/** Has these unit files in /etc/systemd/system while `work` runs. */
export async function withUnits(host: Host, files: Readonly<Record<string, string>>, work: () => Promise<void>): Promise<void> {
  const paths = Object.keys(files).map((name) => `/etc/systemd/system/${name}`);
  for (const [name, text] of Object.entries(files)) await host.write(`/etc/systemd/system/${name}`, text);
  await host.must(["systemctl", "daemon-reload"]);
  try {
    await work();
  } finally {
    await host.run(["systemctl", "stop", ...Object.keys(files)]);
    await host.must(["rm", ...paths]);
    await host.must(["systemctl", "daemon-reload"]);
  }
}
