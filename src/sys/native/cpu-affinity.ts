import { emptyMask, maskOf, numbersIn } from "./bit-mask.ts";
import { check } from "./failure.ts";
import { native } from "./library.ts";

/*
 * On which CPUs a thread may run: sched_setaffinity(2), kernel/sched/syscalls.c. A thread is a thread id (a process's id is that of its
 * first thread) or 0 for the calling one, which in Bun is the one that runs JavaScript: its others, of the garbage collector and of
 * asynchronous files, are left alone unless they are named. Threads and processes that it starts later inherit. ESRCH where it is gone.
 */

/** CPU numbers, in order; those that are offline at the moment are not in it. */
export function readAffinity(thread = 0): number[] {
  const cpus = emptyMask();
  check(native().opd_cpu_get_affinity(thread, cpus, cpus.byteLength), `read on which CPUs ${nameOf(thread)} may run`);
  return numbersIn(cpus);
}

/**
 * Of the CPUs named, those count that exist and that the thread's cpuset allows; EINVAL where none is left. EPERM for another user's
 * thread without CAP_SYS_NICE.
 */
export function setAffinity(cpus: Iterable<number>, thread = 0): void {
  const list = [...cpus];
  const mask = maskOf(list);
  check(native().opd_cpu_set_affinity(thread, mask, mask.byteLength), `have ${nameOf(thread)} run on the CPUs ${list.join(", ") || "of an empty list"}`);
}

function nameOf(thread: number): string {
  return thread === 0 ? "this thread" : `thread ${thread}`;
}
