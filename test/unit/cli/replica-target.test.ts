import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { replicaTarget } from "../../../src/cli/replica-target.ts";

describe("replicaTarget", () => {
  test.each([
    ["ssh://backup/srv/replica", "/srv/replica", { host: "backup" }],
    ["ssh://witness@backup.example.org:2222/srv/re plica", "/srv/re plica", { user: "witness", host: "backup.example.org", port: 2222 }],
    ["ssh://[fe80::1%eth0]/r", "/r", { host: "fe80::1%eth0" }],
    ["ssh://root@[::1]:22/~/$(x)", "/~/$(x)", { user: "root", host: "::1", port: 22 }],
  ])("%s is reached by ssh, its path as it is written", (text, path, ssh) => {
    expect(replicaTarget(text)).toEqual({ path, ssh });
  });

  test.each(["/mnt/replica", "replica", "./back:up", "..", "/mnt/a:b"])("%s is a folder", (text) => {
    expect(replicaTarget(text)).toEqual({ path: resolve(text), ssh: undefined });
  });

  test.each(["", "backup:/srv", "root@backup:srv", "sftp://backup/srv", "ssh://backup", "ssh:///srv", "ssh://-oProxyCommand=x/srv", "ssh://-l@backup/srv", "ssh://a b@backup/srv", "ssh://backup:65536/srv", "ssh://backup:0/srv", "ssh://backup:-1/srv", "ssh://a@b@c/srv", "ssh://[-x]/srv", "ssh://b;id/srv", "/a\0b", "ssh://b/a\0"])("%j is neither", (text) => {
    expect(() => replicaTarget(text)).toThrow(expect.objectContaining({ kind: "invalid" }));
  });
});
