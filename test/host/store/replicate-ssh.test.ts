import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { scratch } from "../../unit/sys/scratch.ts";
import { SignerKey } from "../../../src/store/audit/note.ts";
import { snapshotted } from "../../unit/store/sample-snapshots.ts";
import { logged } from "../../unit/store/replica/sample-replica.ts";
import { Host } from "../harness/host.ts";
import type { Result } from "../harness/command.ts";

/*
 * One host that replicates its log to itself over real ssh, as root to alice, who has no rights.
 */

setDefaultTimeout(300_000);

const KILLS = 10;
const MOST_ROUNDS = 60;
const KILLED = 128 + 9;
const LOG = "/srv/log";
const KEYS = "/home/alice/.ssh/authorized_keys";

const stack = new AsyncDisposableStack();
let host: Host;
let log: string;
let publicKey: string;

beforeAll(async () => {
  log = stack.use(scratch()).path;
  host = stack.use(await Host.boot({ name: "witness", binds: [{ source: log, path: LOG }] }));
  await host.must(["sh", "-euc", `
    systemctl start ssh
    ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
    for key in /etc/ssh/ssh_host_*_key.pub; do echo "localhost $(cat $key)"; done > /root/.ssh/known_hosts
    install -d -o alice -g alice -m 700 /home/alice/.ssh`]);
  publicKey = (await host.read("/root/.ssh/id_ed25519.pub")).trim();
  await allow("");
});

afterAll(() => stack.disposeAsync());

/** Lets root in as alice, with these options of sshd(8) in front of the key. */
async function allow(options: string): Promise<void> {
  await host.write(KEYS, `${options} ${publicKey}\n`);
  await host.must(["chown", "alice:alice", KEYS]);
}

const to = (path: string) => ["op-dbus", "audit", "replicate", `ssh://alice@localhost${path}`, "--root", LOG, "--json"];

async function replicate(path: string): Promise<Result> {
  return await host.run(to(path));
}

/** What alice finds in her replica, with the log's public key. */
async function held(path: string): Promise<{ entries: number; snapshots: { checked: number } }> {
  const key = (await host.must(["op-dbus", "audit", "key", "--root", LOG])).stdout.trim();
  const { stdout } = await host.must(["op-dbus", "audit", "verify", "--blockchain-path", path, "--key", key, "--json"], { user: "alice" });
  return JSON.parse(stdout) as { entries: number; snapshots: { checked: number } };
}

async function verified(path: string): Promise<number> {
  return (await held(path)).entries;
}

const blocks = (count: number) => Array.from({ length: count }, () => 7);

/** Of a command that failed: its exit code, and its message in one line. */
function told({ exit, stdout }: Result): { exit: number; said: string } {
  const { error } = JSON.parse(stdout) as { error: { message: string; details: string[]; hint: string | null } };
  return { exit, said: [error.message, ...error.details, error.hint ?? ""].join(" | ") };
}

test("over ssh, to a user without rights: what is missing, then nothing; a path is a path, whatever is in it", async () => {
  await logged(log, blocks(5));
  for (const path of ["/home/alice/replica", "/home/alice/$(touch x) 'y' ~ -z"]) {
    expect(JSON.parse((await replicate(path)).stdout)).toMatchObject({ from: 0, entries: 35, size: 35 });
    expect(JSON.parse((await replicate(path)).stdout)).toMatchObject({ from: 35, entries: 0, bytes: 0 });
    expect(await verified(path)).toBe(35);
  }
  expect((await host.must(["ls", "-A", "/home/alice"])).stdout).not.toMatch(/^x$/m);
});

test(`killed ${KILLS} times at a random instant, here or there: the replica verifies, and the next run goes on`, async () => {
  const path = "/home/alice/killed";
  let [size, killed, wholeMs] = [0, 0, 800];
  for (let round = 0; killed < KILLS; round += 1) {
    expect(round).toBeLessThan(MOST_ROUNDS);
    await logged(log, blocks(60));
    const seconds = ((Math.random() * wholeMs) / 1000).toFixed(3);
    // The other end is killed in every other round: that is told, as a connection that broke.
    const there = round % 2 === 1;
    const kill = there ? ["sh", "-c", `(sleep ${seconds}; pkill -KILL -u alice -x op-dbus) & exec "$@"`, "sh"] : ["timeout", "--signal=KILL", seconds];
    const { exit, ms } = await host.run([...kill, ...to(path)]);
    expect(there ? [0, 8] : [0, KILLED]).toContain(exit);
    if (exit === 0) wholeMs = ms;
    else killed += 1;
    // Who is left there ends when it notices that nobody speaks any more.
    await host.waitUntil(async () => (await host.run(["pgrep", "-u", "alice", "-x", "op-dbus"])).exit !== 0, { what: "the other end to end" });
    const now = (await host.run(["test", "-s", `${path}/tail`, "-o", "-e", `${path}/checkpoint`])).exit === 0 ? await verified(path) : 0;
    expect(now).toBeGreaterThanOrEqual(size);
    size = now;
  }
  const { exit, stdout } = await replicate(path);
  expect(exit).toBe(0);
  expect(await verified(path)).toBe((JSON.parse(stdout) as { size: number }).size);
});

test(`the state in snapshots, killed ${KILLS} times at a random instant, here or there: each is there whole or not at all`, async () => {
  const path = "/home/alice/snapshots";
  const names: string[] = [];
  let [there, killed, wholeMs] = [0, 0, 800];
  for (let round = 0; killed < KILLS; round += 1) {
    expect(round).toBeLessThan(MOST_ROUNDS);
    const name = new Date(Date.UTC(2026, 0, 1, round)).toISOString().replaceAll(/[-:]/g, "");
    names.push(name);
    await snapshotted(log, name, { lock: name, same: "same", ...Object.fromEntries([1, 2, 3].map((number) => [`checkpoints/${number}`, crypto.getRandomValues(Buffer.alloc(60_000)).toString("hex").repeat(8)])) });
    const seconds = ((Math.random() * wholeMs) / 1000).toFixed(3);
    const elsewhere = round % 2 === 1;
    const kill = elsewhere ? ["sh", "-c", `(sleep ${seconds}; pkill -KILL -u alice -x op-dbus) & exec "$@"`, "sh"] : ["timeout", "--signal=KILL", seconds];
    const { exit, ms } = await host.run([...kill, ...to(path)]);
    expect(elsewhere ? [0, 8] : [0, KILLED]).toContain(exit);
    if (exit === 0) wholeMs = ms;
    else killed += 1;
    await host.waitUntil(async () => (await host.run(["pgrep", "-u", "alice", "-x", "op-dbus"])).exit !== 0, { what: "the other end to end" });
    const now = (await host.run(["test", "-e", `${path}/checkpoint`])).exit === 0 ? (await held(path)).snapshots.checked : 0;
    expect(now).toBeGreaterThanOrEqual(there);
    there = now;
  }
  expect(JSON.parse((await replicate(path)).stdout)).toMatchObject({ snapshots: { left_out: [] } });
  expect((await held(path)).snapshots.checked).toBe(names.length);
  expect((await host.must(["ls", "-A", `${path}/snapshots`])).stdout.trim().split("\n")).toEqual(names);
});

test("a refusal comes back with its exit code, its words and where they come from", async () => {
  await host.must(["mkdir", "-p", "/home/alice/other"]);
  expect(told(await replicate("/home/alice/other/none"))).toEqual({ exit: 6, said: expect.stringMatching(/^localhost: The replica \/home\/alice\/other\/none may not be written by this user/) });
  expect(told(await replicate("/nowhere/replica"))).toEqual({ exit: 6, said: expect.stringContaining("localhost: There is no folder /nowhere") });
  expect(told(await replicate("/home/alice"))).toEqual({ exit: 6, said: expect.stringContaining("localhost: /home/alice is not empty") });
});

test("a key that is bound to one replica can do nothing else", async () => {
  await allow(`restrict,command="op-dbus audit receive /home/alice/bound"`);
  expect((await replicate("/home/alice/bound")).exit).toBe(0);
  expect(told(await replicate("/home/alice/elsewhere"))).toEqual({ exit: 6, said: expect.stringContaining("No replica may be kept in /home/alice/elsewhere here, only in /home/alice/bound") });
  expect((await host.run(["ssh", "-o", "BatchMode=yes", "alice@localhost", "rm -r /home/alice/bound; id"])).stdout).toBe("");
  expect((await host.run(["test", "-e", "/home/alice/elsewhere"])).exit).toBe(1);
  expect(await verified("/home/alice/bound")).toBeGreaterThan(0);
  const key = (await host.must(["op-dbus", "audit", "key", "--root", LOG])).stdout.trim();
  await allow(`restrict,command="op-dbus audit receive --key ${key} /home/alice/bound"`);
  expect((await replicate("/home/alice/bound")).exit).toBe(0);
  await allow(`restrict,command="op-dbus audit receive --key ${SignerKey.generate("op-dbus/other").verifier} /home/alice/bound"`);
  expect(told(await replicate("/home/alice/bound"))).toEqual({ exit: 6, said: expect.stringContaining("No replica of this log may be kept here") });
  await allow("");
});

test("what is missing is said, with exit 8: ssh, the host, the key, op-dbus there, or one that understands", async () => {
  const cases = {
    'command="no-such-op-dbus audit receive"': "op-dbus is not installed on localhost",
    'command="echo Welcome"': "What answers at localhost is not op-dbus",
    'command="op-dbus audit recieve"': "op-dbus on localhost ended without an answer (exit 2) | error: Unknown command 'audit recieve'",
    'command="true"': "op-dbus on localhost ended without an answer (exit 0)",
    'from="192.0.2.1"': "ssh has no connection to localhost",
  };
  for (const [options, said] of Object.entries(cases)) {
    await allow(options);
    expect({ options, ...told(await replicate("/home/alice/missing")) }).toEqual({ options, exit: 8, said: expect.stringContaining(said) });
  }
  await allow("");
  expect(told(await host.run(["op-dbus", "audit", "replicate", "ssh://unknown.invalid/srv", "--root", LOG, "--json"]))).toEqual({ exit: 8, said: expect.stringContaining("ssh has no connection to unknown.invalid | ssh: Could not resolve") });
  const without = await host.run(["env", "PATH=/nowhere", "/usr/local/bin/op-dbus", ...to("/home/alice/missing").slice(1)]);
  expect(told(without)).toEqual({ exit: 8, said: expect.stringContaining("There is no ssh in PATH") });
});
