import { check } from "./failure.ts";
import { hear, type Hearing } from "./hearing.ts";
import { native } from "./library.ts";

/**
 * Calls `readable` in the event loop when something has arrived at a descriptor of any kind that epoll(7) takes, and once at the start
 * where something is there already. It is told of arrivals, not of what is left: each time, read until there is no more. A thread waits,
 * the event loop does not; the descriptor may be closed meanwhile, which ends nothing.
 */
export async function watchReadable(fd: number, readable: () => void): Promise<Hearing> {
  const operation = `watch file descriptor ${fd}`;
  // The thread ends only when this side closes first: there is no end to hear of.
  return await hear(check(native().opd_watch(fd), operation), { data: readable, end: () => undefined });
}
