import { describe, expect, test } from "bun:test";
import type { Proof } from "../../../src/core/confirmation.ts";
import type { SignalName } from "../../../src/cli/context.ts";
import { durationMs } from "../../../src/cli/duration.ts";
import { at, Books, lamps, run, type Ran } from "./in-memory.ts";

const FILES = { "s.json": JSON.stringify({ version: 1, plugins: { lamps: { hall: { on: true } } } }) };
const APPLY = ["apply", "s.json", "--yes", "--confirm-within", "60s"];
const OLD: Proof = { proven: false, what: "it is an old shell" };

/** An apply that waits; each time that it looks at what became of its change, `meanwhile` runs first. */
function applying(meanwhile: (books: Books, times: number) => void | Promise<unknown>, { books = new Books(), ...setup }: Parameters<typeof run>[1] = {}): { books: Books; ran: Promise<Ran> } {
  let times = 0;
  books.sleep = () => {
    if (times > 10) throw new Error("Nothing came of it");
    return meanwhile(books, (times += 1));
  };
  return { books, ran: run(APPLY, { books, files: FILES, ...setup }) };
}

describe("apply --confirm-within", () => {
  test("says until when it waits, and ends with 0 when it was confirmed", async () => {
    const plugins = [lamps({ hall: false })];
    const { books, ran } = applying(async (waiting) => void (await run(["confirm"], { books: waiting, plugins })), { plugins });
    const { exit, stdout, stderr } = await ran;
    expect({ exit, stderr }).toEqual({
      exit: 0,
      stderr: "The host was read back and is as declared. The apply is taken back on\n2026-11-20T17:04:12Z unless it is confirmed: log in anew and run 'op-dbus\nconfirm'\n",
    });
    expect(stdout).toContain("Done: 1 change. The host was read back and is as declared. It was confirmed.");
    expect(books.points).toHaveLength(1);
  });

  test("ends with 4 when it was rolled back, and the host is as it was", async () => {
    const [hall, plugins] = [{ hall: false }, [] as ReturnType<typeof lamps>[]];
    plugins.push(lamps(hall));
    const { ran } = applying(async (waiting) => void (await run(["rollback", "--yes"], { books: waiting, plugins })), { plugins });
    const { exit, stderr } = await ran;
    expect([exit, hall.hall]).toEqual([4, false]);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("error: The apply was not kept: it was rolled back by alice before it was confirmed. Everything was taken back");
  });

  test("takes it back on SIGINT, and goes on waiting when the terminal goes away", async () => {
    let handler: ((name: SignalName) => void) | undefined;
    const listened: (readonly SignalName[] | undefined)[] = [];
    const listen = (first: (name: SignalName) => void, names?: readonly SignalName[]) => {
      handler = first;
      listened.push(names);
      return { [Symbol.dispose]: () => undefined };
    };
    const { ran } = applying((_, times) => handler?.(times < 4 ? "SIGHUP" : "SIGINT"), { signals: { listen } });
    const { exit, stderr } = await ran;
    expect({ exit, stderr }).toEqual({ exit: 4, stderr: expect.stringContaining("Interrupted by SIGINT: taking back what was done") });
    expect(listened.slice(1)).toEqual(Array.from({ length: 4 }, () => ["SIGINT", "SIGHUP"]));
  });

  test("with --json says that it was confirmed, and prints nothing before", async () => {
    const plugins = [lamps({ hall: false })];
    const books = new Books();
    books.sleep = () => run(["confirm"], { books, plugins });
    const ran = await run([...APPLY, "--json"], { books, files: FILES, plugins });
    expect([ran.exit, at(ran.json(), "changed"), at(ran.json(), "confirmed")]).toEqual([0, true, true]);
  });

  test("is confirmed by a probe that succeeds", async () => {
    const probe = { name: "tcp:192.0.2.1:22", attempt: async () => undefined };
    const books = new Books();
    expect((await run(["apply", "s.json", "--yes", "--probe", "tcp:192.0.2.1:22"], { books, files: FILES, probe })).exit).toBe(0);
    expect(books.entries.find(({ kind, outcome }) => kind === "confirm" && outcome === "done")?.detail).toBe("by the probe tcp:192.0.2.1:22");
  });

  test.each(["", "0s", "25h", "1.5s", "-5s", "soon", "60 s"])("--confirm-within '%s' is no time, and nothing is touched", async (time) => {
    const ran = await run(["apply", "s.json", "--yes", `--confirm-within=${time}`], { files: FILES });
    expect([ran.exit, ran.opened]).toEqual([2, []]);
  });
});

test("durationMs takes seconds, minutes and hours", () => {
  expect(["90", "90s", "2m", "2min", "1h", "24h"].map((text) => durationMs(text, "--x"))).toEqual([90_000, 90_000, 120_000, 120_000, 3_600_000, 86_400_000]);
});

describe("while a change waits", () => {
  async function waiting(): Promise<Books> {
    const books = new Books();
    // The process that waits dies.
    books.sleep = () => {
      throw new Error("Killed");
    };
    await run(APPLY, { books, files: FILES });
    books.sleep = () => undefined;
    return books;
  }

  test("status shows it", async () => {
    const books = await waiting();
    const { stdout } = await run(["status"], { books });
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("unfinished An apply of 2026-11-20T17:03:12Z waits to be confirmed until 2026-11-20T17:04:12Z (60 s); 'op-dbus confirm' keeps it, 'op-dbus rollback' takes it back");
    const json = (await run(["status", "--json"], { books })).json();
    expect([at(json, "waiting"), at(json, "interrupted")]).toEqual([{ kind: "apply", started: "2026-11-20T17:03:12.123Z", user: "alice", until: "2026-11-20T17:04:12.123Z", seconds_left: 60 }, null]);
  });

  test("apply is refused, and --dry-run says so", async () => {
    const books = await waiting();
    const refused = await run(["apply", "s.json", "--yes"], { books, files: FILES });
    expect([refused.exit, refused.stderr.includes("hint: op-dbus confirm keeps it, op-dbus rollback takes it back")]).toEqual([6, true]);
    const rehearsed = await run(["apply", "s.json", "--dry-run"], { books, files: FILES });
    expect([rehearsed.exit, rehearsed.stdout.includes("waits until")]).toEqual([6, true]);
  });

  test("confirm from a login that proves nothing is refused, and --here overrides", async () => {
    const books = await waiting();
    const refused = await run(["confirm"], { books, reachability: { proof: () => OLD } });
    expect(refused.exit).toBe(6);
    expect(refused.stderr.replaceAll("\n", " ")).toContain("it is an old shell");
    expect(refused.stderr).toContain("op-dbus confirm --here");
    const confirmed = await run(["confirm", "--here"], { books, reachability: { proof: () => OLD } });
    expect([confirmed.exit, confirmed.stdout]).toEqual([0, "The apply of 2026-11-20T17:03:12Z is confirmed, and stays\n"]);
    expect((await run(["confirm"], { books })).stderr).toContain("Nothing waits to be confirmed");
  });

  test("rollback asks on a terminal, and 'n' leaves it waiting", async () => {
    const books = await waiting();
    const declined = await run(["rollback"], { books, typed: ["n"] });
    expect([declined.exit, declined.stderr.includes("Take back the apply of 2026-11-20T17:03:12Z, which waits to be confirmed? [y/N]")]).toEqual([6, true]);
    expect(books.open).toBeDefined();
    const agreed = await run(["rollback"], { books, typed: ["y"] });
    expect([agreed.exit, books.open]).toEqual([0, undefined]);
  });

  test("recover ends it once its deadline has passed", async () => {
    const books = await waiting();
    expect((await run(["recover"], { books })).exit).toBe(6);
    books.bootTime = () => ({ boot: "boot", ms: 61_001 });
    const { exit, stdout, stderr } = await run(["recover"], { books });
    expect([exit, stdout]).toEqual([0, "Nothing is left in the middle\n"]);
    expect(stderr.replaceAll("\n", " ")).toContain("waited to be confirmed. The host was brought back to where it was before it: it was not confirmed within 60 s");
    expect((await run(["recover"], { books })).stdout).toBe("Nothing was left in the middle\n");
  });
});
