import { expect, test } from "bun:test";
import { dlopen } from "bun:ffi";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OpError } from "../../../src/core/errors.ts";
import { createLock } from "../../../src/sys/lock.ts";
import { scratch } from "./scratch.ts";

const HOLDER = join(import.meta.dir, "lock-holder.ts");

/** A process of its own that holds the lock when this returns. */
async function holdElsewhere(path: string) {
  const child = Bun.spawn([process.execPath, HOLDER, path], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("held\n");
  return child;
}

async function refusal(action: Promise<unknown>): Promise<OpError> {
  const error = await action.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(OpError);
  expect((error as OpError).kind).toBe("refused");
  return error as OpError;
}

test("acquire tells the second process who holds the lock, with what, since when", async () => {
  await using folder = scratch();
  const path = folder.file("lock");
  const child = await holdElsewhere(path);
  const lock = createLock(path);
  const { message } = await refusal(lock.acquire("op-dbus plan"));
  expect(message).toMatch(/^Locked by pid \d+ \(\w+\), 'op-dbus apply', since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  expect(message).toContain(`pid ${child.pid} `);
  expect(lock.holder()).toMatchObject({ pid: child.pid, purpose: "op-dbus apply" });
  child.stdin.end();
  await child.exited;
  expect(lock.holder()).toBeUndefined();
  using _held = await lock.acquire("op-dbus plan");
});

test("a lock dies with its process: kill -9 frees it, and the text it leaves is not a holder", async () => {
  await using folder = scratch();
  const path = folder.file("lock");
  const child = await holdElsewhere(path);
  child.kill("SIGKILL");
  await child.exited;
  expect(readFileSync(path, "utf8")).toContain(`"pid":${child.pid}`);
  const lock = createLock(path);
  expect(lock.holder()).toBeUndefined();
  using _held = await lock.acquire("op-dbus apply");
  expect(lock.holder()?.pid).toBe(process.pid);
});

test("the lock excludes within one process too, and disposing it twice frees it once", async () => {
  await using folder = scratch();
  const lock = createLock(folder.file("lock"));
  const held = await lock.acquire("first");
  expect((await refusal(lock.acquire("second"))).message).toContain("'first'");
  held[Symbol.dispose]();
  const next = await lock.acquire("third");
  held[Symbol.dispose]();
  expect(lock.holder()?.purpose).toBe("third");
  next[Symbol.dispose]();
  expect(lock.holder()).toBeUndefined();
});

test("the descriptor is close-on-exec, and a child started under the lock does not keep it", async () => {
  await using folder = scratch();
  const path = folder.file("lock");
  const lock = createLock(path);
  const held = await lock.acquire("parent");
  const fd = readdirSync("/proc/self/fd").find((name) => linkOf(`/proc/self/fd/${name}`) === path);
  const { symbols } = dlopen("libc.so.6", { fcntl: { args: ["i32", "i32"], returns: "i32" } });
  const [F_GETFD, FD_CLOEXEC] = [1, 1];
  expect(symbols.fcntl(Number(fd), F_GETFD)).toBe(FD_CLOEXEC);
  await using child = Bun.spawn(["cat"], { stdin: "pipe" });
  held[Symbol.dispose]();
  expect(child.exitCode).toBeNull();
  using _held = await lock.acquire("while the child runs");
  child.stdin.end();
});

test("a file that names nobody is still held", async () => {
  await using folder = scratch();
  const path = folder.file("lock");
  const lock = createLock(path);
  using _held = await lock.acquire("x");
  writeFileSync(path, "not JSON");
  expect((await refusal(lock.acquire("y"))).message).toBe("Locked by a process that has not said who it is");
  expect(lock.holder()).toMatchObject({ user: "unknown" });
});

test("the file is root's alone, is never removed, and a long purpose does not break it", async () => {
  await using folder = scratch();
  const path = folder.file("lock");
  const lock = createLock(path);
  {
    using _held = await lock.acquire("\u0001".repeat(5000));
    expect(lock.holder()?.purpose).toBe("\u0001".repeat(100));
  }
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a lock that cannot be had says why", async () => {
  await using folder = scratch();
  mkdirSync(folder.file("folder"));
  const { message } = await refusal(createLock(folder.file("folder")).acquire("x"));
  expect(message).toContain("cannot be used: EISDIR");
  expect(createLock(folder.file("missing", "lock")).holder()).toBeUndefined();
});

test("a hundred contenders: one at a time", async () => {
  await using folder = scratch();
  const lock = createLock(folder.file("lock"));
  const won = (await Promise.allSettled(Array.from({ length: 100 }, (_, n) => lock.acquire(`n${n}`)))).filter((r) => r.status === "fulfilled");
  expect(won).toHaveLength(1);
});

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

test("seize waits for a holder as long as it is patient with it, and takes the lock when it is let go", async () => {
  await using folder = scratch();
  const path = folder.file("lock");
  const child = await holdElsewhere(path);
  let asked = 0;
  const patienceMs = () => {
    if ((asked += 1) === 3) child.stdin.end();
    return 60_000;
  };
  using _held = await createLock(path).seize("recover", patienceMs);
  expect([await child.exited, asked >= 3]).toEqual([0, true]);
});

test("seize kills a holder that does not let go, and one that is stopped at once", async () => {
  await using folder = scratch();
  const path = folder.file("lock");
  for (const patienceMs of [0, 60_000]) {
    const child = await holdElsewhere(path);
    if (patienceMs > 0) child.kill("SIGSTOP");
    using _held = await createLock(path).seize("recover", () => patienceMs);
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
  }
});

test("seize kills nobody who merely has the number of the process that the lock's text names", async () => {
  await using folder = scratch();
  const path = folder.file("lock");
  const bystander = Bun.spawn(["sleep", "60"]);
  using held = await createLock(path).acquire("apply");
  writeFileSync(path, JSON.stringify({ pid: bystander.pid, startedMs: 1, user: "root", purpose: "apply", since: "2026-11-20T17:03:12.123Z" }).padEnd(1024));
  let asked = 0;
  const patienceMs = () => {
    if ((asked += 1) === 3) held[Symbol.dispose]();
    return 0;
  };
  using _seized = await createLock(path).seize("recover", patienceMs);
  bystander.kill("SIGTERM");
  await bystander.exited;
  expect([asked, bystander.signalCode]).toEqual([3, "SIGTERM"]);
});
