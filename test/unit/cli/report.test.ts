import { describe, expect, test } from "bun:test";
import { fileSystemOf } from "../../../src/cli/machine.ts";
import { redact, withoutContent, withoutQuoted } from "../../../src/cli/redaction.ts";
import { at, Books, lamps, run } from "./in-memory.ts";

const people = { hostnames: ["box.example.org", "box"], users: ["alice", "root", "bob", "alice"] };

describe("redact", () => {
  test.each<[unknown, unknown]>([
    ["box.example.org and box", "<host> and <host>"],
    ["boxes, inbox, box-2", "boxes, inbox, box-2"],
    ["alice and bob as root", "<user-1> and <user-2> as root"],
    ["/home/carol/state.json", "/home/<user>/state.json"],
    ["from 192.168.1.10, fe80::1:2:3 and 02:00:00:00:00:0a", "from <address>, <address> and <address>"],
    ["at 17:03:12 on 2026-11-20T17:03:12.123Z, systemd 252.39-1", "at 17:03:12 on 2026-11-20T17:03:12.123Z, systemd 252.39-1"],
    [{ secret: "hunter2", deep: [{ secret: { commitment: "x" } }] }, { secret: "<secret>", deep: [{ secret: "<secret>" }] }],
    [{ alice: 1 }, { "<user-1>": 1 }],
    [["nginx.service", 3, null, true], ["nginx.service", 3, null, true]],
  ])("%j is %j", (value, shown) => {
    expect(redact(value as never, people)).toEqual(shown as never);
  });
});

test("values go, but true, false and unset", () => {
  expect([withoutContent("hunter2"), withoutContent(5), withoutContent(["a"]), withoutContent(true), withoutContent(null), withoutContent(undefined)]).toEqual(["<value>", "<value>", "<value>", true, null, null]);
  expect(withoutQuoted('a.service Environment is "PW=\\"x\\"", declared "PW=y"')).toBe("a.service Environment is <value>, declared <value>");
});

test("report holds nothing of the host's, its users' or a secret's, and says what was left out", async () => {
  const books = new Books();
  const setup = { books, plugins: [lamps({ hall: false })], files: { "/home/alice/s.json": '{ "version": 1, "plugins": { "lamps": { "hall": { "on": true } } } }' } as Record<string, string> };
  await run(["apply", "/home/alice/s.json", "--yes"], setup);
  await books.hostWith([]).audit.append([{ kind: "action", resource: "hall", before: "hunter2", after: "hunter3", detail: 'was "hunter2" on box for alice' }]);
  const ran = await run(["report", "--state-file", "/home/alice/s.json", "--out", "bundle.json"], setup);
  expect(ran.exit).toBe(0);
  const bundle = setup.files["bundle.json"] ?? "";
  expect(bundle).not.toMatch(/hunter|alice|\bbox\b/);
  expect(at(JSON.parse(bundle), "left_out")).toContain("host names, as <host>");
  expect(Object.keys(JSON.parse(bundle))).toEqual(["format", "version", "created", "left_out", "op_dbus", "machine", "settings", "checks", "status", "audit", "checkpoints"]);
  expect((await run(["report", "--out", "bundle.json"], setup)).exit).toBe(6);
});

test("fileSystemOf finds the deepest mount above a path, and the last one made there", () => {
  const mountinfo = `22 1 8:1 / / rw - ext4 /dev/sda1 rw
23 22 0:5 / /var rw shared:1 - btrfs /dev/sdb rw
24 23 0:6 / /var/lib/with\\040space rw - xfs /dev/sdc rw
25 22 0:7 / /mnt rw - ext3 /dev/sdd rw
26 25 0:8 / /mnt rw - tmpfs tmpfs rw
`;
  const paths = ["/etc", "/var/lib/op-dbus", "/variable", "/var/lib/with space/x", "/mnt"];
  expect(paths.map((path) => fileSystemOf(mountinfo, path))).toEqual(["ext4", "btrfs", "ext4", "xfs", "tmpfs"]);
  expect(fileSystemOf("", "/")).toBe("unknown");
});
