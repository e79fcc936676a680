import { describe, expect, test } from "bun:test";
import { createMemoryPlugin } from "../../conformance/memory-plugin.ts";
import { MemoryPeer } from "../../conformance/memory-peer.ts";
import { Books, run } from "./in-memory.ts";

const PASSWORD = "s3cret \u001b[2J";

/** A log in which entry `index` says that a password was set in place of another. */
async function changed() {
  const [books, peer] = [new Books(), new MemoryPeer()];
  peer.put("a", { password: "s3cret-old" });
  const plugins = [createMemoryPlugin(peer)];
  const state = JSON.stringify({ version: 1, plugins: { memory: { items: { a: { password: PASSWORD } } } } });
  const files = { "state.json": state };
  const applied = await run(["apply", "state.json", "--yes"], { books, plugins, files });
  const index = books.entries.findIndex(({ operation }) => operation === "set password");
  const ask = (argv: string[], typed?: string[]) => run(["audit", "reveal", ...argv], { books, plugins, ...(typed && { typed }) });
  return { books, plugins, files, applied, index, ask };
}

describe("audit reveal", () => {
  test("asks, logs, then prints each secret with its salt and how to check it; what would drive a terminal is escaped", async () => {
    const { books, index, ask } = await changed();
    const { exit, stdout, stderr } = await ask([String(index)], ["y"]);
    expect([exit, stderr]).toEqual([0, "Print 2 secrets here? [y/N] "]);
    expect(stdout).toMatch(/^commitment {2}[0-9a-f]{64} \(before\)\nsalt {8}[0-9a-f]{64}\nvalue {7}s3cret-old\n\n/);
    expect(stdout).toContain("value       s3cret \\x1b[2J (escaped; exactly with --json)\n");
    expect(stdout).toEndWith(`To check one: printf 'op-dbus-secret-v1\\n%s\\n%s' "$SALT" "$VALUE" | sha256sum\n`);
    expect(books.entries.at(-1)).toMatchObject({ kind: "reveal", operation: `entry ${index}` });
    expect(JSON.stringify(books.entries)).not.toContain("s3cret");
    expect((await ask([String(index), "--yes", "--json"])).json()).toMatchObject({ entry: index, secrets: [{ stands: ["before"] }, { stands: ["after"], value: PASSWORD }] });
  });

  test("prints nothing, and logs nothing, without consent", async () => {
    const { books, index, ask } = await changed();
    const before = books.entries.length;
    for (const ran of [await ask([String(index)], ["n"]), await ask([String(index)])]) {
      expect([ran.exit, ran.stdout]).toEqual([6, ""]);
      expect(ran.stderr).not.toContain("s3cret");
    }
    expect(books.entries).toHaveLength(before);
  });

  test("prints nothing where that cannot be logged", async () => {
    const { books, plugins, index } = await changed();
    Object.freeze(books.entries);
    const { exit, stdout } = await run(["audit", "reveal", String(index), "--yes"], { books, plugins });
    expect([exit === 0, stdout.includes("s3cret")]).toEqual([false, false]);
  });

  test("says of a secret that is gone that it is, and is refused where all are", async () => {
    const { books, index, ask } = await changed();
    const old = [...books.secretsKept].find(([, { value }]) => value === "s3cret-old")?.[0] ?? "";
    books.secretsKept.delete(old);
    const opened = await ask([String(index), "--yes"]);
    expect(opened.stdout).toContain(`commitment  ${old} (before)\nvalue       not kept here any more\n`);
    books.secretsKept.clear();
    expect(await ask([String(index), "--yes"])).toMatchObject({ exit: 6, stdout: "", stderr: expect.stringContaining("is not kept here any more") });
  });

  test("an entry without secrets, one that is not there, and what is no number: exit 2", async () => {
    const { ask } = await changed();
    const told = await Promise.all(["0", "4711", "x"].map(async (number) => await ask([number, "--yes"])));
    expect(told.map(({ exit }) => exit)).toEqual([2, 2, 2]);
    expect(told[0]?.stderr).toContain("Entry 0 has no secret in it");
  });
});

describe("what other commands print of secrets", () => {
  test.each(["plan state.json", "diff state.json", "verify state.json", "apply state.json --dry-run", "apply state.json --yes", "query", "audit list", "status", "rollback --yes", "report", "schema"])("%s: not their bytes, as text or JSON", async (line) => {
    const { books, plugins, files } = await changed();
    const words = line.split(" ");
    const again = { "state.json": files["state.json"].replace("s3cret", "s3cret-new") };
    for (const form of [[], ["--json"]]) {
      const ran = await run([...words, ...form], { books, plugins, files: { ...again } });
      expect(ran.stdout.length).toBeGreaterThan(0);
      expect(ran.stdout + ran.stderr).not.toContain("s3cret");
    }
  });

  test("plan tells one from another by the first digits of its commitment", async () => {
    const { applied } = await changed();
    expect(applied.stdout).toMatch(/set {6}password: secret [0-9a-f]{8} -> secret [0-9a-f]{8}/);
  });

  test("a kept plan has none, and is applied by another process", async () => {
    const { books, plugins, files } = await changed();
    const wanted = { "state.json": files["state.json"].replace("s3cret", "s3cret-new") };
    const planned = await run(["plan", "state.json", "--out", "plan.json"], { books, plugins, files: wanted });
    expect([planned.exit, planned.files["plan.json"]?.includes("s3cret")]).toEqual([3, false]);
    const { exit, stderr } = await run(["apply", "plan.json", "--yes"], { books, plugins, files: planned.files });
    expect([exit, stderr.includes("error")]).toEqual([0, false]);
  });
});
