import { join } from "node:path";
import { expect, test } from "bun:test";
import { requireRoot } from "./harness/folders.ts";

const CHECKOUT = join(import.meta.dir, "../..");

test("scripts/demo: shows the main job on a host of its own, and every exit code it shows is the one it expects", async () => {
  requireRoot();
  const demo = Bun.spawn([process.execPath, "scripts/lib/demo.ts"], { cwd: CHECKOUT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, exit] = await Promise.all([demo.stdout.text(), demo.stderr.text(), demo.exited]);
  expect({ exit, err: exit === 0 ? "" : err.slice(-2000) }).toEqual({ exit: 0, err: "" });
  for (const scene of ["op-dbus query", "op-dbus plan", "op-dbus apply", "op-dbus verify", "op-dbus rollback", "op-dbus audit list"]) {
    expect(out).toContain(`$ ${scene}`);
  }
}, 120_000);
