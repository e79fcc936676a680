import { readSync, writeSync } from "node:fs";
import { codeOf } from "../core/errors.ts";
import type { Channel } from "../core/ports.ts";

const [STDIN, STDOUT] = [0, 1];
const CHUNK_BYTES = 64 * 1024;
const AGAIN_MS = 5;

/** Standard input and output as bytes, for a process that does nothing else meanwhile: each call waits for the system. */
export const standardStreams: Channel = {
  async read() {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const length = whenReady(() => readSync(STDIN, chunk, 0, chunk.length, null));
    return length === 0 ? undefined : chunk.subarray(0, length);
  },

  async write(bytes) {
    for (let written = 0; written < bytes.length; ) written += whenReady(() => writeSync(STDOUT, bytes, written));
  },
};

/** Whoever had them before may have left them non-blocking. */
function whenReady(act: () => number): number {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
      Bun.sleepSync(AGAIN_MS);
    }
  }
}
