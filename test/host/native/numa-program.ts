import { ptr } from "bun:ffi";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAffinity, setAffinity } from "../../../src/sys/native/cpu-affinity.ts";
import { bindMemory, readMemoryPolicy, setMemoryPolicy, type MemoryBinding } from "../../../src/sys/native/memory-policy.ts";

/*
 * Runs in a host with two NUMA nodes, a CPU on each: numa.test.ts starts it with the name of a scenario, and reads what it prints, one
 * JSON value. On which node a page is, the kernel says in numa_maps(5).
 */

const PAGE_BYTES = 4096;
const PAGES = 64;

/** How many pages of a mapping are on each node, and the policy it has. */
interface Placement {
  readonly policy: string;
  readonly pages: Readonly<Record<string, number>>;
}

const folder = mkdtempSync(join(tmpdir(), "numa-"));
let files = 0;

/** Memory none of whose pages is anywhere yet: private to this process, it is taken where the policy says when it is first written to. */
function fresh(): Uint8Array {
  const path = join(folder, `${(files += 1)}`);
  writeFileSync(path, Buffer.alloc(PAGES * PAGE_BYTES));
  return Bun.mmap(path, { shared: false });
}

function touched(memory: Uint8Array): Uint8Array {
  for (let at = 0; at < memory.length; at += PAGE_BYTES) memory[at] = 1;
  return memory;
}

function placement(memory: Uint8Array): Placement {
  const line = readFileSync("/proc/self/numa_maps", "utf8").split("\n").find((text) => text.startsWith(`${ptr(memory).toString(16)} `)) ?? "";
  const pages = [...line.matchAll(/ N(\d+)=(\d+)/g)].map(([, node, count]) => [`node ${node}`, Number(count)] as const);
  return { policy: line.split(" ")[1] ?? "", pages: Object.fromEntries(pages) };
}

/** The pages that are written to on each of the CPUs, with the policy that is set. */
function touchedOn(cpu: number): Placement["pages"] {
  setAffinity([cpu]);
  return placement(touched(fresh())).pages;
}

const scenarios: Readonly<Record<string, () => unknown>> = {
  /** The thread's policy decides, wherever it runs. */
  thread() {
    setAffinity([0]);
    const found = ([["bind", [1]], ["preferred", [1]], ["interleave", [0, 1]], ["bind", [0, 1]]] as const).map(([mode, nodes]) => {
      setMemoryPolicy({ mode, nodes });
      return { read: readMemoryPolicy(), pages: placement(touched(fresh())).pages };
    });
    return found;
  },

  /** Without one, memory is taken from the node of the CPU that it is first written on. */
  local() {
    setMemoryPolicy({ mode: "local", nodes: [] });
    return [touchedOn(0), touchedOn(1), touchedOn(0)];
  },

  /** A mapping's own policy, for pages that are there already: left where they are, or moved. */
  mapping() {
    setAffinity([0]);
    const memory = touched(fresh());
    const neighbour = touched(fresh());
    const after = (binding: MemoryBinding) => {
      bindMemory(memory, binding);
      return placement(memory);
    };
    return {
      before: placement(memory),
      bound: after({ mode: "bind", nodes: [1] }),
      moved: after({ mode: "bind", nodes: [1], move: true }),
      back: after({ mode: "bind", nodes: [0], move: true }),
      neighbour: placement(neighbour),
      intact: memory.every((byte, at) => byte === (at % PAGE_BYTES === 0 ? 1 : 0)),
    };
  },

  /** Of several CPUs, each alone; what it is then, and where the kernel last ran the thread. */
  affinity() {
    const all = readAffinity();
    const ran = all.map((cpu) => {
      setAffinity([cpu]);
      return { allowed: readAffinity(), ran: Number(/\) (.*)/.exec(readFileSync("/proc/self/stat", "utf8"))?.[1]?.split(" ")[36]) };
    });
    setAffinity(all);
    return { all, ran, after: readAffinity() };
  },
};

try {
  const scenario = scenarios[process.argv[2] ?? ""];
  if (scenario === undefined) throw new Error(`There is no scenario ${process.argv[2]}`);
  console.log(JSON.stringify(scenario()));
} finally {
  rmSync(folder, { recursive: true });
}
