import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { readActor, userName } from "../../../src/sys/actor.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { readHostIdentity } from "../../../src/sys/host-identity.ts";
import { scratch } from "./scratch.ts";

test("readActor says who, by the kernel's word; an unset login uid is left out", () => {
  const actor = readActor("cli");
  expect(actor).toMatchObject({ uid: process.getuid?.(), door: "cli" });
  const kernel = readFileSync("/proc/self/loginuid", "utf8").trim();
  expect(actor.loginUid).toBe(kernel === "4294967295" ? undefined : Number(kernel));
});

test("readActor takes SUDO_USER only as a claim, and only one that can be a user's name", async () => {
  const program = `import { readActor } from ${JSON.stringify(import.meta.resolve("../../../src/sys/actor.ts"))};
    console.log(JSON.stringify(readActor("cli").claimedSudoUser ?? null));`;
  await using folder = scratch();
  await Bun.write(folder.file("program.ts"), program);
  const claimed = async (name: string): Promise<unknown> =>
    JSON.parse(await new Response(Bun.spawn([process.execPath, folder.file("program.ts")], { env: { SUDO_USER: name } }).stdout).text());
  expect(await claimed("alice")).toBe("alice");
  expect(await claimed("a\nb")).toBeNull();
});

test("userName reads the name from passwd, or gives the number", async () => {
  await using folder = scratch();
  await Bun.write(folder.file("passwd"), "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/:/bin/sh\n");
  expect([0, 1000, 1001].map((uid) => userName(uid, folder.file("passwd")))).toEqual(["root", "bob", "1001"]);
  expect(userName(0, folder.file("none"))).toBe("0");
});

test("readHostIdentity gives the host's name and this boot's id", () => {
  const { host, boot } = readHostIdentity();
  expect(host).toBe(hostname());
  expect(boot).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});

test("systemClock counts from boot and does not go back", async () => {
  const uptimeMs = Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1000;
  const first = systemClock.monotonicMs();
  expect(Math.abs(first - uptimeMs)).toBeLessThan(1000);
  await systemClock.sleep(5);
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(first + 4);
  expect(Math.abs(systemClock.now().getTime() - Date.now())).toBeLessThan(1000);
});
