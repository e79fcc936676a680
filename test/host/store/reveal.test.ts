import { realpathSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { hostTest } from "../harness/shared.ts";
import { expectLine, opDbus, opDbusJson } from "../session.ts";

const BINDS = [
  { source: join(import.meta.dir, "../../.."), path: "/mnt/checkout" },
  { source: realpathSync(process.execPath), path: "/usr/local/bin/bun" },
];
const ROOT = "/var/lib/op-dbus";
const [OLD, NEW] = ["s3cret-Quercus", `s3cret "Betula"\n'second' line: ä$HOME\\n`];

interface Entries {
  readonly entries: readonly { readonly index: number; readonly kind: string; readonly operation?: string; readonly outcome?: string; readonly detail?: unknown }[];
}

interface Revealed {
  readonly secrets: readonly { readonly commitment: string; readonly stands: readonly string[]; readonly salt: string; readonly value: string }[];
}

hostTest("audit reveal: opens what an entry commits to, for root alone, logged first, and sha256sum agrees", async (host) => {
  await host.must(["bun", "/mnt/checkout/test/host/store/secret-writer.ts", ROOT, OLD, NEW], { cwd: "/mnt/checkout" });
  expect((await host.run(["grep", "-rlaF", "s3cret", ROOT])).stdout.split("\n").filter(Boolean).filter((path) => !path.startsWith(`${ROOT}/secrets/`))).toEqual([]);
  expect((await host.must(["grep", "-rlaF", "s3cret", `${ROOT}/secrets`])).stdout.trim().split("\n")).toHaveLength(2);

  const { entries } = await opDbusJson<Entries>(host, 0, "audit", "list");
  const { index = -1 } = entries.find(({ operation, outcome }) => operation === "set password" && outcome === "done") ?? {};
  expectLine(await opDbus(host, 6, "audit", "reveal", String(index)), "There is no terminal to ask on: it needs --yes");
  expectLine(await opDbus(host, 2, "audit", "reveal", "0", "--yes"), "Entry 0 has no secret in it");
  const stranger = await host.run(["op-dbus", "audit", "reveal", String(index), "--yes"], { user: "65534" });
  expect([stranger.exit, stranger.stdout]).toEqual([6, ""]);
  expect((await opDbusJson<Entries>(host, 0, "audit", "list")).entries).toEqual(entries);
  const planner = await host.must(["bun", "/mnt/checkout/test/host/store/secret-planner.ts", ROOT, NEW], { cwd: "/mnt/checkout", user: "65534" });
  expect(JSON.parse(planner.stdout)).toEqual({ sameTwice: true, known: false, opens: "refused" });

  const { secrets } = await opDbusJson<Revealed>(host, 0, "audit", "reveal", String(index), "--yes");
  expect(secrets.map(({ stands, value }) => [stands.join(), value])).toEqual([["before", OLD], ["after", NEW]]);
  const shown = (await opDbus(host, 0, "audit", "reveal", String(index), "--yes")).stdout;
  const recipe = /^To check one: (.*)$/m.exec(shown)?.[1] ?? "";
  for (const { commitment, salt, value } of secrets) {
    expect((await host.must(["sh", "-c", recipe], { env: { PATH: "/usr/bin:/bin", SALT: salt, VALUE: value } })).stdout).toBe(`${commitment}  -\n`);
    expect((await host.must(["sh", "-c", recipe], { env: { PATH: "/usr/bin:/bin", SALT: salt, VALUE: `${value}x` } })).stdout).not.toContain(commitment);
    expect(shown).toContain(salt);
  }
  const logged = (await opDbusJson<Entries>(host, 0, "audit", "list", "--kind", "reveal")).entries;
  expect(logged.map(({ operation, detail }) => [operation, detail])).toEqual(Array(2).fill([`entry ${index}`, secrets.map(({ commitment }) => commitment)]));
  await opDbus(host, 0, "audit", "verify");

  await host.must(["sh", "-c", `rm ${ROOT}/secrets/*`]);
  expectLine(await opDbus(host, 6, "audit", "reveal", String(index), "--yes"), `What entry ${index} commits to is not kept here any more`);
}, { pristine: { binds: BINDS } });
