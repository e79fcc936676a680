export interface WaitOptions {
  /** Completes the sentence "Timed out waiting for …". */
  what: string;
  timeoutMs?: number;
}

const POLL_MS = 20;

/** Asks `probe` again and again until its answer is truthy, and returns that answer. An exception counts as "not yet" and is the cause of the timeout. */
export async function waitUntil<T>(probe: () => T | Promise<T>, options: WaitOptions): Promise<NonNullable<T>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const answer = await probe();
      if (answer) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await Bun.sleep(POLL_MS);
  } while (performance.now() < deadline);
  throw new Error(`Timed out after ${timeoutMs} ms waiting for ${options.what}`, { cause });
}
