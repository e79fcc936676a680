import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { diskForTests } from "../harness/disk.ts";
import { CHECKOUT } from "../harness/folders.ts";

const disk = diskForTests();

// The unit tests write below TMPDIR: on this machine's own file system in their own suite, here on others.
test.each(["btrfs", "ext4"])("the store's unit tests pass on %s", async (name) => {
  mkdirSync(disk.at(`${name}/tmp`), { recursive: true });
  const script = 'cd "$1" && [ "$(stat -f -c %T "$TMPDIR")" = "$2" ] && exec "$0" test --timeout 60000 ./test/unit/store/';
  const kind = { btrfs: "btrfs", ext4: "ext2/ext3" }[name] ?? "";
  const { stderr } = await disk.run("env", `TMPDIR=/mnt/${name}/tmp`, "sh", "-c", script, process.execPath, CHECKOUT, kind);
  expect(stderr).toMatch(/^ *0 fail$/m);
  expect(Number(/^ *(\d+) pass$/m.exec(stderr)?.[1])).toBeGreaterThan(150);
}, 300_000);
