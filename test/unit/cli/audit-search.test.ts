import { describe, expect, test } from "bun:test";
import type { AuditEvent } from "../../../src/core/ports.ts";
import { readerOf } from "../../conformance/memory-audit.ts";
import { Books, run, Written } from "./in-memory.ts";

const EVENTS: readonly AuditEvent[] = [
  { kind: "plan", transaction: "t1", operation: "apply", outcome: "begun" },
  { kind: "action", transaction: "t1", plugin: "net", operation: "set mtu", resource: "vmbr0", before: 1500, after: 9000, outcome: "begun" },
  { kind: "action", transaction: "t1", plugin: "net", operation: "set ports", resource: "vmbr1", before: null, after: ["eth0", { Peer: "vmbr0" }], outcome: "begun" },
  { kind: "revert", transaction: "t1", outcome: "done", detail: ["vmbr0 mtu was taken back", "second"] },
  { kind: "refusal", detail: "The plan is stale" },
];

/** Entries an hour apart, the last of them at 17:00. */
async function history(): Promise<Books> {
  const books = new Books();
  await books.hostWith([]).audit.append(EVENTS);
  for (const [index, entry] of books.entries.entries()) books.entries[index] = { ...entry, time: `2026-11-20T${13 + index}:00:00.000Z` };
  return books;
}

async function found(...argv: string[]): Promise<number[]> {
  const ran = await run(["audit", "search", "--json", ...argv], { books: await history() });
  return (ran.json() as { index: number }[]).map(({ index }) => index);
}

describe("audit search", () => {
  test.each<[string, number[]]>([
    ["vmbr0", [3, 2, 1]],
    ["VMBR0", [3, 2, 1]],
    ["peer", [2]],
    ["9000", [1]],
    ["set mtu", [1]],
    ["stale", [4]],
    ["t1", [3, 2, 1, 0]],
    ["alice", [4, 3, 2, 1, 0]],
    ["null", []],
    ["nowhere", []],
  ])("%s", async (text, indexes) => expect(await found(text)).toEqual(indexes));

  test.each<[string, number[]]>([
    ["--until 2026-11-20T15:00Z", [2, 1]],
    ["--since 2026-11-20T15:00Z", [3, 2]],
    ["--since 2h", [3]],
    ["--resource vmbr0", [1]],
    ["--plugin net --kind action", [2, 1]],
    ["--actor mallory", []],
  ])("vmbr0 %s", async (flags, indexes) => expect(await found("vmbr0", ...flags.split(" "))).toEqual(indexes));

  test("shows people a line each, newest first, with what is open", async () => {
    expect((await run(["audit", "search", "vmbr"], { books: await history() })).stdout).toBe(`3  2026-11-20T16:00:00Z  revert      done    vmbr0 mtu was taken back; second
2  2026-11-20T15:00:00Z  action      open    set ports vmbr1
1  2026-11-20T14:00:00Z  action      open    set mtu vmbr0
`);
    expect((await run(["audit", "search", "nowhere"])).stdout).toBe("No entries\n");
  });

  test.each([[[]], [["--json"]]])("keeps nothing that it found: it ends with its reader, though the log has no end %p", async (flags) => {
    const books = new EndlessBooks();
    const stdout = new Written({ fail: Object.assign(new Error("nobody reads"), { code: "EPIPE" }) });
    expect((await run(["audit", "search", "stale", ...flags], { books, stdout })).exit).toBe(0);
    expect(books.asked).toBeGreaterThan(100);
  });
});

/** A log whose last entry comes again and again. */
class EndlessBooks extends Books {
  asked = 0;

  override hostWith(plugins: Parameters<Books["hostWith"]>[0]): ReturnType<Books["hostWith"]> {
    const host = super.hostWith(plugins);
    const again = (): void => void (this.asked += 1);
    const { size } = readerOf(() => []);
    const entry = { kind: "refusal", detail: "stale", index: 0, time: "2026-11-20T13:00:00.000Z", host: "box", boot: "", monotonicMs: 0, actor: host.actor } as const;
    return { ...host, audit: { ...host.audit, size, *entries() { for (;;) { again(); yield entry; } } } };
  }
}
