import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "../../../src/core/plugin.ts";
import type { Host } from "../../../src/engine/host.ts";
import { clock, openAt } from "../store/samples.ts";
import { scratch } from "../sys/scratch.ts";
import { Books, run, type Ran, type Setup } from "./in-memory.ts";

/** Books in a real state directory. */
class StoredBooks extends Books {
  readonly #root: string;

  constructor(root: string) {
    super();
    this.#root = root;
  }

  override hostWith(plugins: readonly Plugin[]): Host {
    const { audit, journal, ledger } = openAt(this.#root);
    return { ...super.hostWith(plugins), audit, journal, ledger };
  }
}

const LATER = "2026-11-21";

/** A state directory with 600 entries, all of 17:03:12; and commands on it. */
async function written(root: string): Promise<(line: string, setup?: Setup) => Promise<Ran>> {
  await openAt(root).audit.append(Array.from({ length: 600 }, () => ({ kind: "plan" }) as const));
  return (line, setup = {}) => run([...line.split(" "), "--root", root], { books: new StoredBooks(root), ...setup });
}

const bundlesIn = (root: string) => readdirSync(join(root, "@timing/tile/entries")).sort();

describe("audit prune", () => {
  test("--dry-run shows what would go, and writes nothing", async () => {
    await using folder = scratch();
    const on = await written(folder.path);
    const ran = await on(`audit prune --before ${LATER} --dry-run`);
    expect(ran).toMatchObject({ exit: 0, opened: ["books"] });
    expect(ran.stdout).toMatch(/^To go: entries 0 to 511 \(2 bundles, \d+ KiB\)\. Their hashes stay\n$/);
    expect((await on(`audit prune --before ${LATER} --dry-run --json`)).json()).toMatchObject({ pruned: false, first: 0, minimum_index: 512, bundles: 2, held_by_checkpoint: null });
    expect(bundlesIn(folder.path)).toEqual(["000", "001", "002.p"]);
    expect(openAt(folder.path).audit.size()).toBe(600);
  });

  test("asks, and is refused without a terminal or --yes", async () => {
    await using folder = scratch();
    const on = await written(folder.path);
    expect((await on(`audit prune --before ${LATER}`)).exit).toBe(6);
    const asked = await on(`audit prune --before ${LATER}`, { typed: ["n"] });
    expect(asked).toMatchObject({ exit: 6, stderr: expect.stringContaining("Remove their content? Nothing brings it back. [y/N]") });
    expect(openAt(folder.path).audit.size()).toBe(600);
    expect((await on(`audit prune --before ${LATER}`, { typed: ["y"] })).stdout).toContain("Done: it is gone, and the log says so");
    expect(bundlesIn(folder.path)).toEqual(["002.p"]);
  });

  test("with nothing that is old enough there is nothing to ask, and nothing is logged", async () => {
    await using folder = scratch();
    const on = await written(folder.path);
    // The standard rules reach back eight quarters.
    expect(await on("audit prune", { typed: [] })).toMatchObject({ exit: 0, stdout: "Nothing to prune: no whole bundle of 256 entries is old enough\n" });
    expect((await on("audit prune --before 2020-01-01 --yes --json")).json()).toMatchObject({ pruned: false, bundles: 0 });
    expect(openAt(folder.path).audit.size()).toBe(600);
    expect((await on("audit prune --before soon --yes")).exit).toBe(2);
  });

  test("a marked checkpoint holds back what it needs, and is named", async () => {
    await using folder = scratch();
    const on = await written(folder.path);
    await openAt(folder.path).ledger.commit({ checkpoints: [{ name: "before-upgrade", sequence: 1, created: "2026-11-20T12:00:00.000Z", actor: { uid: 0, user: "root", door: "cli" } }] });
    const ran = await on(`audit prune --before ${LATER} --dry-run`);
    expect(ran.stdout.replaceAll("\n", " ")).toBe(
      "Nothing to prune: no whole bundle of 256 entries is old enough More would go but for checkpoint 'before-upgrade': what was in force when it was marked is found through the log ",
    );
  });
});

describe("what was pruned", () => {
  async function pruned(root: string) {
    const on = await written(root);
    expect((await on(`audit prune --before ${LATER} --yes --json`)).json()).toMatchObject({ pruned: true, minimum_index: 512 });
    return on;
  }
  const GONE = `512 older entries not there any more: pruned on ${clock.now().toISOString().replace(".123", "")}`;

  test("audit verify says so, and that the hashes verify", async () => {
    await using folder = scratch();
    const on = await pruned(folder.path);
    expect((await on("audit verify")).stdout).toContain("verifies: 601 entries in 2 blocks\nEntries 0 to 511 were pruned on 2026-11-20T17:03:12Z; their hashes verify\n");
    expect((await on("audit verify --json")).json()).toMatchObject({ entries: 601, pruned: { minimum_index: 512, entry: 600, bundles_left: 0 } });
  });

  test.each(["audit list --limit 0", "audit search plan", "audit export"])("%s has what is there, and says that it is not all", async (line) => {
    await using folder = scratch();
    const on = await pruned(folder.path);
    const ran = await on(line);
    expect({ exit: ran.exit, stderr: ran.stderr }).toEqual({ exit: 0, stderr: `${GONE}\n` });
    expect(ran.stdout.trimEnd().split("\n").length).toBeGreaterThanOrEqual(88);
  });

  test("audit list that does not come so far says nothing of it; with --json the first number is in it where it does", async () => {
    await using folder = scratch();
    const on = await pruned(folder.path);
    expect((await on("audit list")).stderr).toBe("Older entries not shown: --limit 0 shows all\n");
    expect((await on("audit list --limit 0 --json")).json()).toMatchObject({ more: false, minimum_index: 512 });
  });

  test("audit show and audit prove of such an entry: exit 6 and the reason; of the next one they work", async () => {
    await using folder = scratch();
    const on = await pruned(folder.path);
    for (const what of ["show", "prove"]) {
      expect(await on(`audit ${what} 511`)).toMatchObject({ exit: 6, stdout: "", stderr: expect.stringContaining("Entry 511 is not there any more") });
      expect((await on(`audit ${what} 512`)).exit).toBe(0);
      expect((await on(`audit ${what} 601`)).exit).toBe(2);
    }
  });

  test("time-travel to a time of it: exit 6 and the reason", async () => {
    await using folder = scratch();
    const on = await pruned(folder.path);
    const ran = await on("time-travel --date 2026-11-20T17:03:12.122Z");
    expect(ran.exit).toBe(6);
    expect(ran.stderr.replaceAll(/\s+/g, " ")).toContain("Entries of the audit log up to 2026-11-20T17:03:12.123Z were pruned on 2026-11-20T17:03:12.123Z");
    expect((await on("time-travel --date 2026-11-20T17:03:12.123Z")).exit).toBe(0);
  });
});
