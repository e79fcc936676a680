import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { document, fresh, opDbus, shown, STATE } from "../session.ts";

interface Case {
  readonly name: string;
  /** The state file's text, or a shell script that prepares something else. */
  readonly text?: string;
  readonly prepare?: string;
  readonly undo?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly exit: number;
  readonly says: RegExp;
}

const GOOD = document({ "demo-notify.service": { active_state: "active", enabled: true } });
const APPLY = ["apply", STATE, "--yes"];
const unit = (name: string, keys: unknown) => JSON.stringify({ version: 1, plugins: { systemd: { units: { [name]: keys } } } });
const plugins = (value: unknown) => JSON.stringify({ version: 1, plugins: value });

const CASES: readonly Case[] = [
  // What is not a document at all.
  { name: "an empty file", text: "", exit: 2, says: /state\.json:1:1.*empty/i },
  { name: "broken JSON", text: '{"version": 1, "plugins": {', exit: 2, says: /state\.json:1:\d+.*[Nn]ot valid JSON/ },
  { name: "a missing comma", text: '{\n  "version": 1\n  "plugins": {}\n}', exit: 2, says: /state\.json:3:3.*\^/ },
  { name: "a key without quotes", text: "{version: 1}", exit: 2, says: /[Nn]ot valid JSON/ },
  { name: "text behind the end", text: '{"version":1,"plugins":{}} {}', exit: 2, says: /[Nn]ot valid JSON/ },
  { name: "a list", text: "[]", exit: 2, says: /is an object/ },
  { name: "a number", text: "42", exit: 2, says: /is an object/ },
  { name: "bytes that are no UTF-8", prepare: `printf '{"version":1,\\377\\376' > ${STATE}`, exit: 2, says: /UTF-8/ },
  { name: "a key given twice", text: '{"version":1,"plugins":{},"plugins":{}}', exit: 2, says: /twice/ },
  { name: "__proto__ as a key", text: '{"version":1,"plugins":{"__proto__":{}}}', exit: 2, says: /__proto__/ },
  { name: "an integer beyond 2^53", text: unit("a.service", {}).replace("{}", '{"properties":{"MemoryMax":99999999999999999999}}'), exit: 2, says: /string/ },
  { name: "a hundred thousand brackets", prepare: `head -c 100000 /dev/zero | tr '\\0' '[' > ${STATE}`, exit: 2, says: /deep/ },
  { name: "a file of 100 MB", prepare: `head -c 104857600 /dev/zero | tr '\\0' ' ' > ${STATE}`, exit: 2, says: /large|MiB/ },
  { name: "YAML whose aliases multiply", prepare: `printf 'a: &a [x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\\n' > /root/bomb.yaml`, args: ["apply", "/root/bomb.yaml", "--yes"], exit: 2, says: /values|version/ },
  { name: "broken TOML", prepare: "echo 'version = = 1' > /root/bad.toml", args: ["apply", "/root/bad.toml", "--yes"], exit: 2, says: /TOML/ },
  // Shape.
  { name: "no version", text: '{"plugins":{}}', exit: 2, says: /Missing 'version'/ },
  { name: "a version there is not", text: '{"version":7,"plugins":{}}', exit: 2, says: /allowed is 1/ },
  { name: "no plugins", text: '{"version":1}', exit: 2, says: /Missing 'plugins'/ },
  { name: "plugins as a list", text: plugins([]), exit: 2, says: /'plugins'/ },
  { name: "an unknown key at the top", text: '{"version":1,"plugins":{},"plugin":{}}', exit: 2, says: /Did you mean 'plugins'/ },
  { name: "a plugin there is not", text: plugins({ systemdd: {} }), exit: 2, says: /Did you mean 'systemd'/ },
  { name: "a section that is null", text: plugins({ systemd: null }), exit: 2, says: /systemd/ },
  { name: "units as a list", text: plugins({ systemd: { units: ["a.service"] } }), exit: 2, says: /is a list, allowed is an object/ },
  { name: "an unknown key in the section", text: plugins({ systemd: { unit: {} } }), exit: 2, says: /Did you mean 'units'/ },
  { name: "a unit that is a string", text: unit("a.service", "active"), exit: 2, says: /allowed is an object/ },
  { name: "a unit that is a list", text: unit("a.service", []), exit: 2, says: /is a list/ },
  { name: "an unknown key of a unit", text: unit("a.service", { enable: true }), exit: 2, says: /Did you mean 'enabled'/ },
  { name: "a wrong word", text: unit("a.service", { active_state: "running" }), exit: 2, says: /"active" or "inactive"/ },
  { name: "'failed', which is only seen", text: unit("a.service", { active_state: "failed" }), exit: 2, says: /"active" or "inactive"/ },
  { name: "a string for a boolean", text: unit("a.service", { enabled: "yes" }), exit: 2, says: /true or false/ },
  { name: "a number for a word", text: unit("a.service", { active_state: 1 }), exit: 2, says: /is 1, allowed/ },
  { name: "properties as a list", text: unit("a.service", { properties: ["MemoryMax"] }), exit: 2, says: /is a list/ },
  { name: "a property with a unit there is not", text: unit("a.service", { properties: { MemoryMax: "2X" } }), exit: 2, says: /bytes/ },
  { name: "an absent unit with other keys", text: unit("a.service", { state: "absent", enabled: true }), exit: 2, says: /absent/ },
  { name: "everything wrong at once", text: plugins({ systemd: { units: { "a.service": { enable: 1, active_state: 2 }, b: {} } }, net: {} }), exit: 2, says: /enable[^]*active_state[^]*net|net[^]*enable/ },
  // Unit names.
  { name: "NUL in a unit name", text: unit("a\u0000.service", {}), exit: 2, says: /cannot hold "\\u0000"/ },
  { name: "control characters in a unit name", text: unit("a\u001b[31m.service", {}), exit: 2, says: /cannot hold "\\u001b"/ },
  { name: "a slash in a unit name", text: unit("../a.service", {}), exit: 2, says: /cannot hold "\/"/ },
  { name: "a unit name without a type", text: unit("nginx", {}), exit: 2, says: /ends in its type/ },
  { name: "a unit name of 300 characters", text: unit(`${"a".repeat(300)}.service`, {}), exit: 2, says: /255/ },
  { name: "an empty unit name", text: unit("", {}), exit: 2, says: /1 to 255/ },
  // Files.
  { name: "a file that is not there", args: ["apply", "/root/nothing.json", "--yes"], exit: 2, says: /\/root\/nothing\.json/ },
  { name: "a folder", args: ["apply", "/root", "--yes"], exit: 2, says: /\/root.*(folder|directory)/ },
  { name: "a FIFO", prepare: "mkfifo /root/pipe.json", args: ["apply", "/root/pipe.json", "--yes"], undo: "rm /root/pipe.json", exit: 2, says: /pipe\.json/ },
  { name: "a device", args: ["apply", "/dev/zero", "--yes"], exit: 2, says: /\/dev\/zero/ },
  { name: "no permission", prepare: `chmod 600 ${STATE}; chmod 755 /root`, undo: "chmod 700 /root", user: "alice", exit: 2, says: /permission/i },
  { name: "a saved plan that is torn", prepare: `printf '{"format":"op-dbus plan","version":1' > /root/p.json`, args: ["apply", "/root/p.json", "--yes"], exit: 2, says: /p\.json/ },
  { name: "a saved plan that was edited", prepare: `op-dbus plan ${STATE} --out /root/p2.json >/dev/null; sed -i 's/"demo-notify.service"/"demo-exec.service"/g' /root/p2.json`, args: ["apply", "/root/p2.json", "--yes"], exit: 6, says: /plan/ },
  // The command line.
  { name: "an unknown command", args: ["aply"], exit: 2, says: /Did you mean/ },
  { name: "an unknown flag", args: ["apply", STATE, "--yess"], exit: 2, says: /--yes/ },
  { name: "a plugin there is not, by flag", args: ["plan", STATE, "--plugin", "nett"], exit: 2, says: /nett/ },
  { name: "a checkpoint there is not", args: ["rollback", "--to-checkpoint", "../../etc/passwd", "--yes"], exit: 2, says: /no checkpoint/ },
  { name: "no --yes without a terminal", args: ["apply", STATE], exit: 6, says: /--yes/ },
  // The host.
  { name: "no D-Bus and no rights to the private socket", env: { DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/run/nothing" }, user: "alice", args: ["plan", "/tmp/good.json"], exit: 8, says: /dbus/i },
  { name: "a D-Bus address that is no address", env: { DBUS_SYSTEM_BUS_ADDRESS: "nonsense" }, exit: 2, says: /DBUS_SYSTEM_BUS_ADDRESS/ },
  { name: "a read-only state directory", prepare: "mkdir -p /mnt/ro && mount -t tmpfs -o ro tmpfs /mnt/ro", args: [...APPLY, "--root", "/mnt/ro/op-dbus"], undo: "umount /mnt/ro", exit: 6, says: /read-only/ },
  { name: "a full disk", prepare: "mkdir -p /mnt/full && mount -t tmpfs -o size=64k tmpfs /mnt/full && head -c 65536 /dev/zero > /mnt/full/fill; true", args: [...APPLY, "--root", "/mnt/full/op-dbus"], undo: "umount /mnt/full", exit: 6, says: /space|full/i },
  { name: "a state directory that is a file", prepare: "touch /root/file", args: [...APPLY, "--root", "/root/file"], exit: 6, says: /\/root\/file/ },
  { name: "a state directory without rights", args: ["apply", "/tmp/good.json", "--yes"], user: "alice", exit: 6, says: /\/var\/lib\/op-dbus/ },
];

hostTest(`bad input: ${CASES.length} cases, each with its exit code and a clear message, and nothing changed`, async (host) => {
  await fresh(host);
  await host.write("/tmp/good.json", GOOD);
  const wrong: string[] = [];
  for (const bad of CASES) wrong.push(...(await findingsOf(host, bad)));
  expect(wrong).toEqual([]);
  expect(await shown(host, "demo-notify.service")).toBe("inactive/disabled");
  expect((await host.run(["ls", "/etc/systemd/system.control"])).exit).not.toBe(0);
  await opDbus(host, 0, "status");
}, { timeoutMs: 300_000 });

async function findingsOf(host: Host, bad: Case): Promise<string[]> {
  await host.write(STATE, bad.text ?? GOOD);
  if (bad.prepare !== undefined) await host.must(["sh", "-c", bad.prepare]);
  try {
    const options = { ...(bad.env && { env: bad.env }), ...(bad.user && { user: bad.user }) };
    const { exit, stdout, stderr } = await host.run(["op-dbus", ...(bad.args ?? APPLY)], options);
    const text = `${stdout}\n${stderr}`;
    const findings: string[] = [];
    if (exit !== bad.exit) findings.push(`exit ${exit}, expected ${bad.exit}`);
    if (!bad.says.test(text.replaceAll(/\s+/g, " "))) findings.push(`does not say ${bad.says}`);
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) findings.push("prints control characters");
    if (/^\s+at .*:\d+/m.test(text)) findings.push("prints a stack");
    if ((await shown(host, "demo-notify.service")) !== "inactive/disabled") findings.push("changed the host");
    return findings.map((finding) => `${bad.name}: ${finding}\n${text.slice(0, 600)}`);
  } finally {
    if (bad.undo !== undefined) await host.must(["sh", "-c", bad.undo]);
  }
}

hostTest("bad input: a D-Bus that hangs is given up on, with its name", async (host) => {
  await fresh(host);
  await host.write(STATE, GOOD);
  await host.write("/tmp/good.json", GOOD);
  await host.write("/root/hang.pl", `use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Local => "/run/hang.sock", Listen => 5) or die; $| = 1; print "ready\\n"; my @c; push @c, $s->accept while 1;`);
  const hanging = host.spawn(["perl", "/root/hang.pl"]);
  await host.waitUntil(() => hanging.stdout.includes("ready"), { what: "the hanging bus to listen" });
  await host.must(["chmod", "777", "/run/hang.sock"]);
  const result = await host.run(["op-dbus", "plan", "/tmp/good.json"], { user: "alice", env: { DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/run/hang.sock" }, timeoutMs: 60_000 });
  await hanging.kill("SIGKILL");
  await hanging.ended();
  expect(result.exit).toBe(8);
  expect(result.stderr).toMatch(/did not\s+answer/);
  await host.must(["rm", "-f", "/run/hang.sock"]);
});
