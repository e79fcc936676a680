import { expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { createUnitLog } from "../../../src/sys/unit-log.ts";
import { scratch } from "./scratch.ts";

const hasLibrary = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib"].some((folder) =>
  existsSync(`${folder}/libsystemd.so.0`),
);

test("without libsystemd the one line says so, and where to look", () => {
  const lines = createUnitLog({ library: "libsystemd-is-not-here.so.0" }).lastLines("a.service", 5);
  expect(lines).toEqual([
    "(the unit's log could not be read: libsystemd-is-not-here.so.0 is not there; see /var/log/journal, /var/log/syslog or the console)",
  ]);
});

test.skipIf(!hasLibrary)("without a journal the one line says so (needs libsystemd)", async () => {
  await using folder = scratch();
  mkdirSync(folder.file("empty"));
  for (const name of ["empty", "none"]) {
    expect(createUnitLog({ folder: folder.file(name) }).lastLines("a.service", 5)).toEqual([
      expect.stringMatching(/^\(the unit's log could not be read: .*; see \/var\/log\/journal/),
    ]);
  }
});

test.skipIf(!hasLibrary)("this machine's journal is read, or is said not to be there (needs libsystemd)", () => {
  const lines = createUnitLog().lastLines("systemd-journald.service", 3);
  expect(lines.length).toBeLessThanOrEqual(3);
});
