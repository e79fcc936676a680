import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { entryNamed, LogCopy } from "./log-copy.ts";
import { keyIn, vouchedAt } from "./sample-log.ts";

/*
 * Run by tamper.test.ts, one process a core: bun flips.ts LOG COPY STRIDE SHARE SHARES. Changes one byte in STRIDE of the log's files, in
 * two ways each, and asks the verifier each time; of those bytes it takes every SHARES-th from the SHARE-th on. Prints what it found.
 */

export interface Found {
  readonly flips: number;
  /** What was not caught, or not with the entry that it belongs to. */
  readonly wrong: readonly string[];
}

function flip(log: LogCopy, { stride, share, shares }: { stride: number; share: number; shares: number }): Found {
  const wrong: string[] = [];
  const names = log.names().filter((each) => each !== "verifier-key");
  const minimumIndex = log.verify().pruned?.minimumIndex ?? 0;
  let [at, flips] = [0, 0];
  for (const name of names) {
    const bytes = log.read(name);
    const fd = openSync(join(log.path, name), "r+");
    for (let offset = 0; offset < bytes.length; offset += 1, at += 1) {
      if (at % stride !== 0 || (at / stride) % shares !== share) continue;
      const [was, belongs] = [bytes[offset] ?? 0, vouchedAt(name, bytes, offset, minimumIndex)];
      for (const mask of [0x01, 0xff]) {
        writeSync(fd, Buffer.of(was ^ mask), 0, 1, offset);
        const finding = log.finding();
        flips += 1;
        if (finding?.kind !== "integrity" || entryNamed(finding) !== belongs) wrong.push(`${name} ${offset} ^ ${mask}: ${finding?.message}, not ${belongs}`);
      }
      writeSync(fd, Buffer.of(was), 0, 1, offset);
    }
    closeSync(fd);
  }
  return { flips, wrong: wrong.slice(0, 10) };
}

if (import.meta.main) {
  const [path = "", copy = "", ...numbers] = process.argv.slice(2);
  const [stride = 1, share = 0, shares = 1] = numbers.map(Number);
  console.log(JSON.stringify(flip(new LogCopy(path, copy, keyIn(path)), { stride, share, shares })));
}
