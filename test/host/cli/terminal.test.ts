import { expect } from "bun:test";
import type { Host, Result } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import type { Units } from "../session.ts";
import { declare, expectLine as expectText, fresh, opDbus, shown, STATE } from "../session.ts";

const ESC = "\u001b";
const SEQUENCE = /\u001b\[[0-9;?]*[A-Za-z]/g;
/** Sequences that paint, as those that move on the line do not. */
const COLOUR = /\u001b\[[0-9;]*m/;
const NOTIFY: Units = { "demo-notify.service": { active_state: "active", enabled: true } };
/** Runs once when started, and is over: that cannot be taken back. */
const ONE_WAY: Units = { "demo-oneshot-remain.service": { active_state: "active" } };

for (const [what, input] of [["'n'", "n\n"], ["an empty line", "\n"], ["the end of input", ""], ["anything but yes", "yeah, well\n"]] as const) {
  hostTest(`apply on a terminal: ${what} changes nothing, exit 6`, async (host) => {
    await fresh(host);
    const result = await applyAsked(host, NOTIFY, input);
    expect(result.exit).toBe(6);
    expectLine(result, "start active_state: inactive -> active", "Plan: 1 to enable, 1 to start", "Apply this? [y/N]", "Not confirmed, nothing was changed");
    expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
    expectLine(await opDbus(host, 0, "checkpoint", "list"), "No checkpoints yet");
    expectLine(await opDbus(host, 0, "status"), "unfinished nothing", "lock free");
  });
}

hostTest("apply on a terminal: 'y' applies, after the plan and the question", async (host) => {
  await fresh(host);
  const result = await applyAsked(host, NOTIFY, "y\n");
  expect(result.exit).toBe(0);
  expect(result.stdout.replaceAll(SEQUENCE, "")).toMatch(/Plan: 1 to enable, 1 to start[^]*Apply this\? \[y\/N\][^]*Done: 2 changes/);
  expect(await shown(host, "demo-notify.service")).toBe("active/enabled");
  const undone = await host.run(["op-dbus", "rollback"], { terminal: true, input: "y\n" });
  expect(undone.exit).toBe(0);
  expectLine(undone, "Roll back? [y/N]");
  expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
});

hostTest("apply on a terminal: nothing to do asks nothing", async (host) => {
  await fresh(host);
  const result = await applyAsked(host, { "demo-notify.service": { active_state: "inactive" } }, "");
  expect(result.exit).toBe(0);
  expect(result.stdout).not.toContain("[y/N]");
});

hostTest("apply on a terminal: the question says how much cannot be taken back", async (host) => {
  await fresh(host);
  const result = await applyAsked(host, ONE_WAY, "n\n");
  expect(result.exit).toBe(6);
  expectLine(result, "Apply this? 1 of it cannot be taken back. [y/N]");
});

hostTest("checkpoint delete on a terminal: asks, and says what is lost with it", async (host) => {
  await fresh(host);
  expect((await applyAsked(host, NOTIFY, "y\n")).exit).toBe(0);
  const [name = ""] = /auto-\S+/.exec((await opDbus(host, 0, "checkpoint", "list")).stdout) ?? [];
  const refused = await host.run(["op-dbus", "checkpoint", "delete", name], { terminal: true, input: "n\n" });
  expect(refused.exit).toBe(6);
  expectLine(refused, `Delete checkpoint '${name}'? Its apply can then no longer be rolled back. [y/N]`);
  expectLine(await opDbus(host, 0, "checkpoint", "list"), name);
});

hostTest("colour: on a terminal only, and not with NO_COLOR or TERM=dumb", async (host) => {
  await fresh(host);
  await declare(host, NOTIFY);
  await host.write("/root/typo.json", '{"version":1,"plugins":{"systemd":{"units":{"a.service":{"enable":true}}}}}');
  for (const args of [["plan", STATE], ["plan", "/root/typo.json"], ["doctor"], ["status"], ["apply", "--help"]]) {
    const line = ["op-dbus", ...args];
    expect((await host.run(line, { terminal: true })).stdout).toMatch(COLOUR);
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) expect((await host.run(line, { terminal: true, env })).stdout).not.toContain(ESC);
    const { stdout, stderr } = await host.run(line, { env: { TERM: "xterm-256color" } });
    expect(stdout + stderr).not.toContain(ESC);
  }
  // The progress line is still written over, which is no colour.
  const asked = await applyAsked(host, NOTIFY, "y\n", { NO_COLOR: "1" });
  expect(asked.exit).toBe(0);
  expect(asked.stdout).not.toMatch(COLOUR);
  const piped = await host.run(["op-dbus", "rollback", "--yes"], { env: { TERM: "xterm-256color" } });
  expect(piped.stdout + piped.stderr).not.toContain(ESC);
});

hostTest("width: no line is wider than the terminal's 80 columns", async (host) => {
  await fresh(host);
  const long: Units = { ...NOTIFY, "demo-oneshot-remain.service": { active_state: "active", enabled: true, properties: { MemoryMax: "256M", CPUWeight: 200 } } };
  await host.write("/root/typo.json", JSON.stringify({ version: 1, plugins: { systemd: { units: { [`${"a-long-name-".repeat(3)}.service`]: { enable: true, active_state: "active" } } } } }));
  await declare(host, { "demo-fails.service": { active_state: "active" } }, "/root/fails.json");
  const wide = [...tooWide("apply", await applyAsked(host, long, "y\n"))];
  const lines = [
    ["apply", "/root/fails.json", "--yes"], ["plan", "/root/typo.json"], ["plan", "/root/nowhere.json"], ["verify", STATE], ["status"], ["doctor"], ["audit", "list"],
    ["checkpoint", "list"], ["schema", "--help"], ["apply", "--yess"], ["init"], ["rollback", "--yes"], ["apply", STATE, "--yes"],
  ];
  for (const args of lines) wide.push(...tooWide(args.join(" "), await host.run(["op-dbus", ...args], { terminal: true })));
  expect(wide).toEqual([]);
});

hostTest("progress: each action on stderr while an apply runs, and nothing of it remains", async (host) => {
  await fresh(host);
  await declare(host, { ...NOTIFY, "demo-exec.service": { active_state: "active" }, "demo-oneshot-remain.service": { active_state: "active" } });
  // The terminal is stderr alone.
  const result = await host.run(["sh", "-c", `op-dbus apply ${STATE} --yes >/root/stdout.txt`], { terminal: true });
  expect(result.exit).toBe(0);
  const shownTexts = result.stdout.split("\r").map((text) => text.replaceAll(SEQUENCE, "").trim());
  for (const unit of ["demo-notify.service", "demo-exec.service", "demo-oneshot-remain.service"]) {
    expect(shownTexts.filter((text) => /^\[\d\/4\] /.test(text) && text.endsWith(unit)).length).toBeGreaterThan(0);
  }
  expect(shownTexts).toContain("reading the host back");
  expect(shownTexts.at(-1)).toBe("");
  expect(await host.read("/root/stdout.txt")).not.toMatch(/\u001b|\r|\[\d\/4\]/);
});

hostTest("progress: without a terminal there is none", async (host) => {
  await fresh(host);
  await declare(host, NOTIFY);
  expect((await opDbus(host, 0, "apply", STATE, "--yes")).stderr).toBe("");
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  hostTest(`${signal} during an apply: takes everything back, exit 4`, async (host) => {
    await fresh(host);
    await declare(host, { "demo-exec.service": { active_state: "active", enabled: true, properties: { MemoryMax: "256M" } } });
    const apply = host.spawn(["op-dbus", "apply", STATE, "--yes"]);
    // Active, and watched for three seconds more: the step is under way.
    await host.waitUntil(async () => (await shown(host, "demo-exec.service")) === "active/enabled", { what: "demo-exec.service to be started" });
    expect(await apply.kill(signal)).toBe(true);
    const result = await apply.ended();
    expect(result.exit).toBe(4);
    expectLine(result, `${signal}: stopping after the running step; once more ends op-dbus at once`, `Interrupted by ${signal}`, "Everything was taken back");
    expect(await shown(host, "demo-exec.service")).toBe("inactive/disabled");
    expectLine(await opDbus(host, 0, "status"), "unfinished nothing", "in force nothing");
    expectLine(await opDbus(host, 3, "plan", STATE), "MemoryMax: unset -> 268435456");
  });
}

hostTest("SIGINT twice during an apply: ends at once, and the next command takes it back", async (host) => {
  await fresh(host);
  await declare(host, { "demo-exec.service": { active_state: "active", enabled: true } });
  const apply = host.spawn(["op-dbus", "apply", STATE, "--yes"]);
  await host.waitUntil(async () => (await shown(host, "demo-exec.service")) === "active/enabled", { what: "demo-exec.service to be started" });
  await apply.kill("SIGINT");
  await host.waitUntil(() => apply.stderr.includes("SIGINT"), { what: "the first SIGINT to be told of" });
  await apply.kill("SIGINT");
  expect((await apply.ended()).exit).toBe(130);
  expectLine(await opDbus(host, 0, "status"), "takes it back first");
  expectLine(await opDbus(host, 0, "checkpoint", "create", "after"), "was interrupted. The host was brought back to where it was before it");
  expect(await shown(host, "demo-exec.service")).toBe("inactive/disabled");
});

/** Expects that op-dbus says something, however it is painted. */
function expectLine(result: Result, ...texts: string[]): void {
  expectText({ ...result, stdout: result.stdout.replaceAll(SEQUENCE, "") }, ...texts);
}

/** Declares, and applies on a terminal where this is typed. */
async function applyAsked(host: Host, units: Units, input: string, env: Record<string, string> = {}): Promise<Result> {
  await declare(host, units);
  return await host.run(["op-dbus", "apply", STATE], { terminal: true, input, env });
}

function tooWide(what: string, { stdout }: Result): string[] {
  const lines = stdout.split(/[\r\n]+/).map((line) => line.replaceAll(SEQUENCE, ""));
  return lines.filter((line) => line.length > 80).map((line) => `${what}: ${line}`);
}
