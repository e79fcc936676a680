import { join } from "node:path";
import { expect } from "bun:test";
import { compiled } from "../harness/compiled.ts";
import { virtualHostTest } from "../harness/shared.ts";
import type { VirtualHost } from "../harness/virtual-host.ts";

const PROGRAM = "/usr/local/bin/numa-program";
const PAGES = 64;

const virtualTest = virtualHostTest(async () => ({
  name: "alder",
  files: [{ source: await compiled(join(import.meta.dir, "numa-program.ts")), path: PROGRAM }],
}));

/** What a scenario of numa-program.ts finds on two nodes. */
async function found(host: VirtualHost, scenario: string): Promise<unknown> {
  return JSON.parse((await host.must([PROGRAM, scenario])).stdout);
}

virtualTest("setMemoryPolicy decides from which of two nodes memory is taken, wherever the thread runs", async (host) => {
  expect(await found(host, "thread")).toEqual([
    { read: { mode: "bind", nodes: [1] }, pages: { "node 1": PAGES } },
    { read: { mode: "preferred", nodes: [1] }, pages: { "node 1": PAGES } },
    { read: { mode: "interleave", nodes: [0, 1] }, pages: { "node 0": PAGES / 2, "node 1": PAGES / 2 } },
    { read: { mode: "bind", nodes: [0, 1] }, pages: { "node 0": PAGES } },
  ]);
});

virtualTest("setAffinity decides from which node memory is taken without a policy", async (host) => {
  expect(await found(host, "local")).toEqual([{ "node 0": PAGES }, { "node 1": PAGES }, { "node 0": PAGES }]);
});

virtualTest("bindMemory leaves pages that are there where they are, or moves them, and no others", async (host) => {
  expect(await found(host, "mapping")).toEqual({
    before: { policy: "default", pages: { "node 0": PAGES } },
    bound: { policy: "bind:1", pages: { "node 0": PAGES } },
    moved: { policy: "bind:1", pages: { "node 1": PAGES } },
    back: { policy: "bind:0", pages: { "node 0": PAGES } },
    neighbour: { policy: "default", pages: { "node 0": PAGES } },
    intact: true,
  });
});

virtualTest("setAffinity has the thread run on the CPU named, each of two", async (host) => {
  expect(await found(host, "affinity")).toEqual({
    all: [0, 1],
    ran: [{ allowed: [0], ran: 0 }, { allowed: [1], ran: 1 }],
    after: [0, 1],
  });
});
