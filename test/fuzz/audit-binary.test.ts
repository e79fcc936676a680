import { expect, test } from "bun:test";
import { builtBinary } from "../host/harness/folders.ts";
import { entryNamed, LogCopy } from "../unit/store/audit/log-copy.ts";
import { entryAt, keyIn, writeSampleLog } from "../unit/store/audit/sample-log.ts";
import { scratch } from "../unit/sys/scratch.ts";

/*
 * What the verifier finds in process (unit/store/audit/tamper.test.ts, every byte of every file) the built binary says too: by
 * exit code and by the entry's number.
 */

const COPIES = 500;
/** So many of each file at the least, however small it is. */
const LEAST = 6;

interface Said {
  readonly exit: number;
  readonly message: string | undefined;
}

function verified(folder: string, key: string): Said {
  const argv = [builtBinary(), "audit", "verify", "--blockchain-path", folder, "--key", key, "--json"];
  const { exitCode, stdout } = Bun.spawnSync(argv, { stderr: "ignore" });
  const { error } = JSON.parse(stdout.toString()) as { error?: { message: string } };
  return { exit: exitCode, message: error?.message };
}

test(`at least ${COPIES} copies of a log, each with one byte changed: exit 7 and the entry that the byte belongs to`, async () => {
  await using folder = scratch();
  const timing = await writeSampleLog(folder.file("root"));
  const key = keyIn(timing);
  const log = new LogCopy(timing, folder.file("copy"), key);
  const check = () => verified(log.path, key.toString());
  expect(check()).toEqual({ exit: 0, message: undefined });

  // The folder's own key is not asked where a key is given, and the emptied tail has no byte to change.
  const files = log.names().filter((name) => name !== "verifier-key" && log.read(name).length > 0);
  const total = files.reduce((sum, name) => sum + log.read(name).length, 0);
  const wrong: string[] = [];
  let copies = 0;
  for (const name of files) {
    const bytes = Buffer.from(log.read(name));
    const count = Math.max(LEAST, Math.round((COPIES * bytes.length) / total));
    for (let number = 0; number < count; number += 1) {
      const offset = Math.floor(((number + 0.5) * bytes.length) / count);
      const mask = number % 2 === 0 ? 0x01 : 0xff;
      log.write(name, Buffer.from(bytes).fill((bytes[offset] ?? 0) ^ mask, offset, offset + 1));
      const { exit, message = "" } = check();
      copies += 1;
      if (exit !== 7 || entryNamed({ message }) !== entryAt(name, bytes, offset)) wrong.push(`${name} ${offset} ^ ${mask}: exit ${exit}, ${message}`);
    }
    log.write(name, bytes);
  }
  expect(wrong.slice(0, 10)).toEqual([]);
  expect(copies).toBeGreaterThanOrEqual(COPIES);
  expect(check()).toEqual({ exit: 0, message: undefined });
  console.log(`  ${copies} copies of ${files.length} files, all refused, each with its entry`);
}, 300_000);
