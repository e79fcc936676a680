import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createSubvolume,
  deleteSubvolume,
  isBtrfs,
  isSubvolume,
  setReadOnly,
  setReceived,
  snapshotSubvolume,
  syncFilesystem,
} from "../../../src/sys/native/btrfs.ts";
import { listSubvolumes } from "../../../src/sys/native/subvolume-list.ts";
import { readSubvolume, type Subvolume } from "../../../src/sys/native/subvolume.ts";
import { CHECKOUT } from "../harness/folders.ts";
import { Disk, diskForTests } from "../harness/disk.ts";
import { refusalOf } from "./errors.ts";

setDefaultTimeout(120_000);

const NATIVE = join(CHECKOUT, "src/sys/native");

const disk = diskForTests();

/** A new folder on the disk for one test, so that each sees only what it made. */
function folder(name: string): (path: string) => string {
  mkdirSync(disk.at(`btrfs/${name}`));
  return (path) => disk.at(`btrfs/${name}/${path}`);
}

/** `btrfs subvolume show`, as a record of its lines. */
async function shown(path: string): Promise<Record<string, string>> {
  const { stdout } = await disk.run("btrfs", "subvolume", "show", path);
  return Object.fromEntries([...stdout.matchAll(/^\t([^:\n]+):[ \t]*(.*)$/gm)].map(([, name = "", value = ""]) => [name, value.trim()]));
}

/** What readSubvolume says, in the words of `btrfs subvolume show`. */
function asShown(subvolume: Subvolume): Record<string, string> {
  return {
    Name: subvolume.name,
    UUID: subvolume.uuid ?? "-",
    "Parent UUID": subvolume.parentUuid ?? "-",
    "Received UUID": subvolume.receivedUuid ?? "-",
    "Subvolume ID": String(subvolume.id),
    Generation: String(subvolume.generation),
    "Gen at creation": String(subvolume.otransid),
    "Parent ID": String(subvolume.parentId),
    Flags: subvolume.readOnly ? "readonly" : "-",
    "Send transid": String(subvolume.stransid),
    "Receive transid": String(subvolume.rtransid),
  };
}

test("isBtrfs and isSubvolume tell subvolumes, folders and files on BTRFS, tmpfs and ext4 apart", () => {
  const at = folder("kinds");
  createSubvolume(at("s"));
  mkdirSync(at("s/folder"));
  writeFileSync(at("s/file"), "");
  const kinds = ["btrfs", "btrfs/kinds", "btrfs/kinds/s", "btrfs/kinds/s/folder", "btrfs/kinds/s/file", ".", "ext4"].map((path) => [
    path,
    isBtrfs(disk.at(path)),
    isSubvolume(disk.at(path)),
  ]);
  expect(kinds).toEqual([
    ["btrfs", true, true],
    ["btrfs/kinds", true, false],
    ["btrfs/kinds/s", true, true],
    ["btrfs/kinds/s/folder", true, false],
    ["btrfs/kinds/s/file", true, false],
    [".", false, false],
    ["ext4", false, false],
  ]);
});

test("readSubvolume agrees with `btrfs subvolume show`, for subvolumes, snapshots and what was received", async () => {
  const at = folder("info");
  createSubvolume(at("s"));
  writeFileSync(at("s/file"), "x");
  syncFilesystem(at("s"));
  snapshotSubvolume(at("s"), at("snapshot"), { readOnly: true });
  createSubvolume(at("received"));
  setReceived(at("received"), { uuid: "00112233-4455-6677-8899-aabbccddeeff", transid: 77n });
  for (const name of ["s", "snapshot", "received"]) {
    const subvolume = readSubvolume(at(name));
    const show = await shown(`btrfs/info/${name}`);
    expect(show).toMatchObject(asShown(subvolume));
    expect(Math.floor(subvolume.createdAt.getTime() / 1000)).toBe(Math.floor(Date.parse(show["Creation time"] ?? "") / 1000));
  }
  expect(readSubvolume(at("snapshot"))).toMatchObject({ readOnly: true, parentUuid: readSubvolume(at("s")).uuid });
  expect(readSubvolume(at("received"))).toMatchObject({ receivedUuid: "00112233-4455-6677-8899-aabbccddeeff", stransid: 77n });
  // What is inside belongs to it.
  expect(readSubvolume(at("s/file")).id).toBe(readSubvolume(at("s")).id);
});

test("snapshotSubvolume makes writable and read-only copies that stand on their own", async () => {
  const at = folder("snapshots");
  createSubvolume(at("s"));
  writeFileSync(at("s/file"), "before");
  snapshotSubvolume(at("s"), at("rw"), { readOnly: false });
  snapshotSubvolume(at("s"), at("ro"), { readOnly: true });
  writeFileSync(at("s/file"), "after");
  writeFileSync(at("rw/file"), "mine");
  expect(["s", "rw", "ro"].map((name) => readFileSync(at(`${name}/file`), "utf8"))).toEqual(["after", "mine", "before"]);
  expect(() => writeFileSync(at("ro/file"), "no")).toThrow("EROFS");
  expect((await disk.run("btrfs", "property", "get", "btrfs/snapshots/ro", "ro")).stdout).toBe("ro=true\n");
  expect((await disk.run("btrfs", "property", "get", "btrfs/snapshots/rw", "ro")).stdout).toBe("ro=false\n");
});

test("setReadOnly goes both ways, as `btrfs property get` sees it", async () => {
  const at = folder("flags");
  createSubvolume(at("s"));
  for (const readOnly of [true, true, false]) {
    setReadOnly(at("s"), readOnly);
    expect((await disk.run("btrfs", "property", "get", "btrfs/flags/s", "ro")).stdout).toBe(`ro=${readOnly}\n`);
    expect(readSubvolume(at("s")).readOnly).toBe(readOnly);
  }
  writeFileSync(at("s/file"), "");
});

test("deleteSubvolume deletes with all that is in it, read-only ones too, and does not follow links", async () => {
  const at = folder("deleted");
  createSubvolume(at("s"));
  mkdirSync(at("s/a/b/c"), { recursive: true });
  snapshotSubvolume(at("s"), at("ro"), { readOnly: true });
  symlinkSync("s", at("link"));
  expect(await refusalOf(() => deleteSubvolume(at("link")))).toStartWith("ENOTDIR failed");
  deleteSubvolume(at("s"));
  deleteSubvolume(at("ro"));
  expect([existsSync(at("s")), existsSync(at("ro"))]).toEqual([false, false]);
  expect((await disk.run("btrfs", "subvolume", "list", "btrfs")).stdout).not.toContain("deleted/");
});

test("what cannot be done throws with errno, operation and path", async () => {
  const at = folder("refused");
  createSubvolume(at("s"));
  createSubvolume(at("s/inner"));
  createSubvolume(at("ro"));
  setReadOnly(at("ro"), true);
  mkdirSync(at("folder"));
  writeFileSync(at("file"), "");
  const elsewhere = disk.at("ext4/s");
  const refusals = [
    () => createSubvolume(at("folder")),
    () => createSubvolume(at("missing/s")),
    () => createSubvolume(at("file/s")),
    () => createSubvolume(at("n".repeat(256))),
    () => createSubvolume(at("n".repeat(4090))),
    () => createSubvolume(at("ro/s")),
    () => createSubvolume(disk.at("read-only/s")),
    () => createSubvolume(elsewhere),
    () => createSubvolume(disk.at("tmpfs")),
    () => snapshotSubvolume(at("missing"), at("copy"), { readOnly: true }),
    () => snapshotSubvolume(at("folder"), at("copy"), { readOnly: true }),
    () => snapshotSubvolume(at("s"), at("folder/missing/copy"), { readOnly: true }),
    () => snapshotSubvolume(at("s"), elsewhere, { readOnly: true }),
    () => deleteSubvolume(at("s")),
    () => deleteSubvolume(at("folder")),
    () => deleteSubvolume(at("file")),
    () => deleteSubvolume(at("missing")),
    () => deleteSubvolume(disk.at("read-only/refused/s/inner")),
    () => setReadOnly(at("folder"), true),
    () => setReadOnly(disk.at("read-only/refused/s"), true),
    () => setReceived(at("ro"), { uuid: "00112233-4455-6677-8899-aabbccddeeff", transid: 1n }),
    () => syncFilesystem(disk.at("ext4")),
    () => readSubvolume(disk.at("ext4")),
    () => listSubvolumes(disk.at("ext4")),
    () => isBtrfs(at("missing")),
  ];
  const seen: string[] = [];
  for (const act of refusals) seen.push((await refusalOf(act)).replaceAll(/n{256,}/g, (name) => `n{${name.length}}`));
  expect(seen).toEqual([
    "EEXIST failed: create the subvolume /mnt/btrfs/refused/folder",
    "ENOENT failed: create the subvolume /mnt/btrfs/refused/missing/s",
    "ENOTDIR failed: create the subvolume /mnt/btrfs/refused/file/s",
    "ENAMETOOLONG failed: create the subvolume /mnt/btrfs/refused/n{256}",
    "ENAMETOOLONG failed: create the subvolume /mnt/btrfs/refused/n{4090}",
    "EROFS failed: create the subvolume /mnt/btrfs/refused/ro/s",
    "EROFS failed: create the subvolume /mnt/read-only/s",
    "ENOTTY unavailable: create the subvolume /mnt/ext4/s",
    "ENOTTY unavailable: create the subvolume /mnt/tmpfs",
    "ENOENT failed: snapshot /mnt/btrfs/refused/missing as /mnt/btrfs/refused/copy",
    "EINVAL failed: snapshot /mnt/btrfs/refused/folder as /mnt/btrfs/refused/copy",
    "ENOENT failed: snapshot /mnt/btrfs/refused/s as /mnt/btrfs/refused/folder/missing/copy",
    "ENOTTY unavailable: snapshot /mnt/btrfs/refused/s as /mnt/ext4/s",
    "ENOTEMPTY failed: delete the subvolume /mnt/btrfs/refused/s",
    "EINVAL failed: delete the subvolume /mnt/btrfs/refused/folder",
    "ENOTDIR failed: delete the subvolume /mnt/btrfs/refused/file",
    "ENOENT failed: delete the subvolume /mnt/btrfs/refused/missing",
    "EROFS failed: delete the subvolume /mnt/read-only/refused/s/inner",
    "EINVAL failed: make /mnt/btrfs/refused/folder read-only",
    "EROFS failed: make /mnt/read-only/refused/s read-only",
    "EROFS failed: mark /mnt/btrfs/refused/ro as received",
    "ENOTTY unavailable: sync the file system of /mnt/ext4",
    "ENOTTY unavailable: read the subvolume /mnt/ext4",
    "ENOTTY unavailable: list the subvolumes below /mnt/ext4",
    "ENOENT failed: look at /mnt/btrfs/refused/missing",
  ]);
  expect(existsSync(at("s/inner"))).toBe(true);
  expect(() => setReceived(at("s"), { uuid: "no", transid: 1n })).toThrow('"no" is not a UUID');
});

test("what the file system forbids: a snapshot on another one, deleting its default subvolume", async () => {
  await using other = await Disk.mount("128M");
  createSubvolume(other.at("btrfs/s"));
  expect(await refusalOf(() => snapshotSubvolume(other.at("btrfs/s"), disk.at("btrfs/copy"), { readOnly: true }))).toBe(
    "EXDEV failed: snapshot /mnt/btrfs/s as /mnt/btrfs/copy",
  );
  await other.run("btrfs", "subvolume", "set-default", String(readSubvolume(other.at("btrfs/s")).id), "btrfs");
  expect(await refusalOf(() => deleteSubvolume(other.at("btrfs/s")))).toBe("EPERM refused: delete the subvolume /mnt/btrfs/s");
  await other.run("btrfs", "subvolume", "set-default", "5", "btrfs");
  deleteSubvolume(other.at("btrfs/s"));
});

test("listSubvolumes finds what `btrfs subvolume list` finds, nested, renamed, moved and deleted ones included", async () => {
  const at = folder("list");
  for (const path of ["a", "a/b", "a/b/c", "z", "gone"]) createSubvolume(at(path));
  mkdirSync(at("a/folder/deep"), { recursive: true });
  createSubvolume(at("a/folder/deep/d"));
  snapshotSubvolume(at("a"), at("a/folder/self"), { readOnly: true });
  snapshotSubvolume(at("z"), at("a/b/c/\u00fc \n'x'"), { readOnly: false });
  renameSync(at("a/b/c"), at("z/moved"));
  deleteSubvolume(at("gone"));
  const below = (path: string) => listSubvolumes(path).map((subvolume) => subvolume.path);
  const deep = ["folder/deep/d", "folder/self"];
  expect(below(at("."))).toEqual(["a", "a/b", ...deep.map((path) => `a/${path}`), "z", "z/moved", "z/moved/\u00fc \n'x'"]);
  expect(below(at("a"))).toEqual(["b", ...deep]);
  expect(below(at("a/folder"))).toEqual(["deep/d", "self"]);
  expect(below(at("a/folder/deep"))).toEqual(["d"]);
  expect(below(at("z/moved"))).toEqual(["\u00fc \n'x'"]);
  expect(below(at("a/b"))).toEqual([]);
  // The copies of subvolumes inside a snapshot are plain folders.
  expect(isSubvolume(at("a/folder/self/b"))).toBe(false);

  deleteSubvolume(at("z/moved/\u00fc \n'x'"));
  syncFilesystem(at("."));
  // Paths are from the top of the file system.
  const { stdout } = await disk.run("btrfs", "subvolume", "list", "-pcguqR", "btrfs");
  const line = /^ID (\d+) gen (\d+) cgen (\d+) parent (\d+) top level \d+ parent_uuid (\S+) +received_uuid (\S+) +uuid (\S+) path (.*)$/;
  const theirs = stdout.trim().split("\n").map((text) => line.exec(text)?.slice(1) ?? [text]);
  const ours = listSubvolumes(disk.at("btrfs")).map((subvolume) => [
    ...[subvolume.id, subvolume.generation, subvolume.otransid, subvolume.parentId].map(String),
    ...[subvolume.parentUuid ?? "-", subvolume.receivedUuid ?? "-", subvolume.uuid ?? "-"],
    subvolume.path,
  ]);
  expect(ours.length).toBeGreaterThan(6);
  expect(ours.toSorted()).toEqual(theirs.toSorted());
  for (const { path, ...subvolume } of listSubvolumes(at("."))) expect(subvolume).toEqual(readSubvolume(at(path)));
});

test("syncFilesystem commits: the generation on the disk goes up", async () => {
  const at = folder("sync");
  const onDisk = async () => Number(/^generation\s+(\d+)/m.exec((await disk.run("btrfs", "inspect-internal", "dump-super", "btrfs.image")).stdout)?.[1]);
  const before = await onDisk();
  writeFileSync(at("file"), "x");
  syncFilesystem(at("."));
  expect(await onDisk()).toBeGreaterThan(before);
});

test("without CAP_SYS_ADMIN: makes, snapshots and reads what is the user's own; deleting, listing and sending are refused", async () => {
  folder("capability");
  const program = `
    const [subvolumes, { readSubvolume }, { listSubvolumes }, { sendSubvolume }] = await Promise.all(
      ["btrfs", "subvolume", "subvolume-list", "subvolume-send"].map((name) => import("${NATIVE}/" + name + ".ts")));
    const seen = [];
    for (const act of [
      () => subvolumes.createSubvolume("s"),
      () => subvolumes.snapshotSubvolume("s", "snapshot", { readOnly: true }),
      () => readSubvolume("s"),
      () => subvolumes.deleteSubvolume("s"),
      () => listSubvolumes("."),
      () => sendSubvolume("snapshot", { to: 2 }),
    ]) {
      try { await act(); seen.push("done"); } catch (error) { seen.push(error.kind + " " + error.cause.code); }
    }
    console.log(JSON.stringify(seen));`;
  const drop = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
  const { stdout } = await disk.run("sh", "-c", 'cd btrfs/capability && exec "$0" "$@"', ...drop, process.execPath, "-e", program);
  expect(JSON.parse(stdout)).toEqual(["done", "done", "done", "refused EPERM", "refused EPERM", "refused EPERM"]);
});

test("a full disk: ENOSPC, and nothing is left of the subvolume that found no room", async () => {
  await using small = await Disk.mount("32M", "--mixed");
  const names = Array.from({ length: 1000 }, (_, n) => `s${n}`);
  const create = (name: string) => createSubvolume(small.at(`btrfs/${name}`));
  expect((await small.try("sh", "-c", "head -c 64M /dev/urandom > btrfs/data")).stderr).toContain("No space left");
  const seen = await refusalOf(() => names.forEach(create));
  expect(seen).toMatch(/^ENOSPC failed: create the subvolume \/mnt\/btrfs\/s\d+$/);
  expect(existsSync(small.at(`btrfs/${seen.split("/").at(-1)}`))).toBe(false);
  rmSync(small.at("btrfs/data"));
  syncFilesystem(small.at("btrfs"));
  create("again");
});
