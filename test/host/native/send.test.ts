import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { createSubvolume, deleteSubvolume, setReadOnly, snapshotSubvolume, syncFilesystem } from "../../../src/sys/native/btrfs.ts";
import { sendSubvolume, type SendOptions } from "../../../src/sys/native/subvolume-send.ts";
import { readSubvolume } from "../../../src/sys/native/subvolume.ts";
import { waitUntil } from "../harness/wait.ts";
import { diskForTests } from "../harness/disk.ts";
import { refusalOf } from "./errors.ts";

setDefaultTimeout(120_000);

/** Not compressible, and more than a pipe holds. */
const DATA = crypto.getRandomValues(new Uint8Array(65_536));
const BIG_BYTES = 8 * 1024 * 1024;

const disk = diskForTests(() => {
  createSubvolume(at("s"));
  writeFileSync(at("s/same"), DATA);
  writeFileSync(at("s/changed"), "before");
  writeFileSync(at("s/removed"), "gone soon");
  writeFileSync(at("s/big"), Buffer.alloc(BIG_BYTES, DATA));
  snapshotSubvolume(at("s"), at("one"), { readOnly: true });
  writeFileSync(at("s/changed"), "after");
  writeFileSync(at("s/new"), "new");
  unlinkSync(at("s/removed"));
  snapshotSubvolume(at("s"), at("two"), { readOnly: true });
  syncFilesystem(at("."));
});
const at = (path: string) => disk.at(`btrfs/${path}`);

/** Sends into a file in the namespace's /mnt and returns its name. */
async function sendToFile(name: string, path: string, options: Omit<SendOptions, "to"> = {}): Promise<string> {
  const fd = openSync(disk.at(name), "w");
  try {
    await sendSubvolume(path, { ...options, to: fd });
  } finally {
    closeSync(fd);
  }
  return name;
}

async function dump(stream: string): Promise<string> {
  return (await disk.run("btrfs", "receive", "--dump", "-f", stream)).stdout;
}

test("`btrfs receive` makes of a full and a differential stream what was sent", async () => {
  await disk.run("mkdir", "btrfs/received");
  const streams = [await sendToFile("one.stream", at("one")), await sendToFile("two.stream", at("two"), { parent: at("one") })];
  for (const stream of streams) await disk.run("btrfs", "receive", "-f", stream, "btrfs/received");
  for (const name of ["one", "two"]) {
    await disk.run("diff", "-r", `btrfs/${name}`, `btrfs/received/${name}`);
    expect(readSubvolume(at(`received/${name}`)).receivedUuid).toBe(readSubvolume(at(name)).uuid);
  }
  expect(readFileSync(at("received/two/changed"), "utf8")).toBe("after");
  expect(statSync(disk.at("one.stream")).size).toBeGreaterThan(BIG_BYTES);
  expect(statSync(disk.at("two.stream")).size).toBeLessThan(DATA.length);
});

test("the stream is, byte for byte, that of `btrfs send`", async () => {
  const full = await sendToFile("ours", at("one"));
  await disk.run("btrfs", "send", "--quiet", "-f", "theirs", "btrfs/one");
  await disk.run("cmp", full, "theirs");
  await sendToFile("ours", at("two"), { parent: at("one") });
  await disk.run("btrfs", "send", "--quiet", "-p", "btrfs/one", "-f", "theirs", "btrfs/two");
  await disk.run("cmp", "ours", "theirs");
});

test("data shared with the parent or a clone source is cloned, not sent", async () => {
  createSubvolume(at("other"));
  await disk.run("cp", "--reflink=always", "btrfs/one/same", "btrfs/other/copy");
  setReadOnly(at("other"), true);
  createSubvolume(at("third"));
  await disk.run("cp", "--reflink=always", "btrfs/other/copy", "btrfs/third/copy");
  setReadOnly(at("third"), true);
  const cloned = await dump(await sendToFile("cloned", at("third"), { cloneSources: [at("other"), at("one")] }));
  expect(cloned).toMatch(/^clone .*\/third\/copy/m);
  expect(statSync(disk.at("cloned")).size).toBeLessThan(DATA.length);
  const whole = await dump(await sendToFile("whole", at("third")));
  expect(whole).not.toMatch(/^clone/m);
  expect(statSync(disk.at("whole")).size).toBeGreaterThan(DATA.length);

  snapshotSubvolume(at("two"), at("w"), { readOnly: false });
  await disk.run("cp", "--reflink=always", "btrfs/w/same", "btrfs/w/same2");
  setReadOnly(at("w"), true);
  const fromParent = await dump(await sendToFile("from-parent", at("w"), { parent: at("two") }));
  expect(fromParent).toMatch(/^clone .*\/w\/same2/m);
});

test("withoutData names the ranges that changed and leaves their contents out", async () => {
  const stream = await sendToFile("without", at("one"), { withoutData: true });
  expect(await dump(stream)).toMatch(/^update_extent .*\/one\/big/m);
  expect(readFileSync(disk.at(stream)).includes("before")).toBe(false);
});

test("into a pipe: the event loop goes on while the reader takes its time, and what is sent cannot be changed", async () => {
  await disk.run("mkfifo", "pipe");
  const reader = disk.run("sh", "-c", "exec 3<pipe; head -c 1000 <&3 >head; read gate <gate; cat <&3 >tail");
  await disk.run("mkfifo", "gate");
  const fd = openSync(disk.at("pipe"), "w");
  let sent = false;
  const sending = sendSubvolume(at("one"), { to: fd }).then(() => (sent = true));
  closeSync(fd);
  await waitUntil(() => statSync(disk.at("head")).size === 1000, { what: "the reader to stop in the middle" });
  expect(sent).toBe(false);
  expect(await refusalOf(() => setReadOnly(at("one"), false))).toStartWith("EPERM refused");
  expect(await refusalOf(() => deleteSubvolume(at("one")))).toStartWith("EPERM refused");
  writeFileSync(disk.at("gate"), "go\n");
  await sending;
  await reader;
  await sendToFile("whole-one", at("one"));
  await disk.run("sh", "-c", "cat head tail | cmp - whole-one");
});

test("what cannot be sent throws with errno, operation and path, and several sends do not disturb each other", async () => {
  writeFileSync(disk.at("sink"), "");
  const sink = openSync(disk.at("sink"), "w");
  const readOnlySink = openSync(disk.at("sink"), "r");
  const unread = openUnreadPipe();
  const attempts = [
    () => sendSubvolume(at("s"), { to: sink }),
    () => sendSubvolume(at("two"), { to: sink, parent: at("s") }),
    () => sendSubvolume(at("one"), { to: unread }),
    () => sendSubvolume(at("one"), { to: readOnlySink }),
    () => sendSubvolume(at("one"), { to: 9999 }),
    () => sendSubvolume(at("missing"), { to: sink }),
    () => sendSubvolume(disk.at("ext4"), { to: sink }),
    () => sendToFile("parallel", at("one")),
  ];
  const seen = await Promise.all(attempts.map((act) => refusalOf(act).catch((error: Error) => error.message)));
  expect(seen).toEqual([
    "EPERM refused: send the subvolume /mnt/btrfs/s",
    "EPERM refused: send the subvolume /mnt/btrfs/two",
    "EPIPE failed: send the subvolume /mnt/btrfs/one",
    "EBADF failed: send the subvolume /mnt/btrfs/one",
    "EBADF failed: send the subvolume /mnt/btrfs/one",
    "ENOENT failed: send the subvolume /mnt/btrfs/missing",
    "ENOTTY unavailable: send the subvolume /mnt/ext4",
    "It was not refused",
  ]);
  for (const fd of [sink, readOnlySink, unread]) closeSync(fd);
  await disk.run("cmp", "parallel", await sendToFile("again", at("one")));
});

/** The writing end of a pipe that nobody will ever read. */
function openUnreadPipe(): number {
  const path = disk.at("unread");
  Bun.spawnSync(["mkfifo", path]);
  const both = openSync(path, "r+");
  const fd = openSync(path, "w");
  closeSync(both);
  return fd;
}
