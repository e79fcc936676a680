import { OpError } from "../../core/errors.ts";
import { emptyMask, maskOf, MASK_BITS, numbersIn } from "./bit-mask.ts";
import { check } from "./failure.ts";
import { native } from "./library.ts";

/*
 * From which NUMA nodes memory is taken: set_mempolicy(2), mbind(2), numa(7), mm/mempolicy.c. ENOSYS (kind unavailable) where the kernel
 * is built without NUMA; EINVAL for a node that is not there, or a mode that the kernel does not know.
 */

/** linux/mempolicy.h, by number. "default": the thread's for a mapping, the node it runs on for a thread. */
const MODES = ["default", "preferred", "bind", "interleave", "local", "preferred_many", "weighted_interleave"] as const;

export type MemoryMode = (typeof MODES)[number];

export interface MemoryPolicy {
  readonly mode: MemoryMode;
  /** Node numbers, in order; none for "default" and "local". */
  readonly nodes: readonly number[];
}

/** MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES and MPOL_F_NUMA_BALANCING: what may be with the mode. */
const MODE_FLAGS = (1 << 15) | (1 << 14) | (1 << 13);
/** mbind(2): fail where a page is elsewhere already; move such pages. */
const MPOL_MF_STRICT = 1;
const MPOL_MF_MOVE = 2;

/** The calling thread's policy. */
export function readMemoryPolicy(): MemoryPolicy {
  const mode = new Int32Array(1);
  const nodes = emptyMask();
  check(native().opd_memory_get_policy(mode, nodes, MASK_BITS), "read this thread's memory policy");
  const number = (mode[0] ?? 0) & ~MODE_FLAGS;
  const name = MODES[number];
  if (name === undefined) throw new OpError("unavailable", `This thread's memory policy is number ${number}, which is unknown here`);
  return { mode: name, nodes: numbersIn(nodes) };
}

/** For what the calling thread first touches from now on; threads and processes that it starts later inherit it. */
export function setMemoryPolicy({ mode, nodes }: MemoryPolicy): void {
  check(native().opd_memory_set_policy(MODES.indexOf(mode), nodeMask(nodes), MASK_BITS), `set this thread's memory policy to ${describe(mode, nodes)}`);
}

export interface MemoryBinding extends MemoryPolicy {
  /** Also the pages that are there already: moves them, and throws EIO where one could not be moved. */
  readonly move?: boolean;
}

/**
 * For one mapping, whatever the thread's policy: `memory` begins on a page, as what Bun.mmap returns does (EINVAL otherwise), and what it
 * has of its last page counts as a whole. EFAULT where nothing is mapped.
 */
export function bindMemory(memory: Uint8Array, { mode, nodes, move = false }: MemoryBinding): void {
  const flags = move ? MPOL_MF_MOVE | MPOL_MF_STRICT : 0;
  const operation = `bind ${memory.length} bytes of memory with ${describe(mode, nodes)}`;
  check(native().opd_memory_bind(memory, memory.length, MODES.indexOf(mode), nodeMask(nodes), MASK_BITS, flags), operation);
}

/** The modes that take no nodes want no mask. */
function nodeMask(nodes: readonly number[]): BigUint64Array | null {
  return nodes.length === 0 ? null : maskOf(nodes);
}

function describe(mode: MemoryMode, nodes: readonly number[]): string {
  return nodes.length === 0 ? mode : `${mode}:${nodes.join(",")}`;
}
