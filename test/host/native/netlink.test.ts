import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { buildLibrary } from "../../../scripts/lib/native.ts";
import { NetlinkSocket } from "../../../src/sys/native/netlink-socket.ts";
import { must } from "../harness/command.ts";
import { requireRoot } from "../harness/folders.ts";
import { refusalOf } from "./errors.ts";

setDefaultTimeout(120_000);

const [NETLINK_ROUTE, NO_PROTOCOL, NO_GROUP] = [0, 31, 4_000];

beforeAll(async () => {
  requireRoot();
  await buildLibrary();
});

/** What a scenario of netlink-program.ts finds in a network namespace that goes with it. */
async function found(scenario: string): Promise<unknown> {
  const { stdout } = await must(["unshare", "--net", process.execPath, join(import.meta.dir, "netlink-program.ts"), scenario], { timeoutMs: 100_000 });
  return JSON.parse(stdout);
}

test("watch tells of links that come and go, and the event loop goes on meanwhile", async () => {
  expect(await found("events")).toEqual({ ticks: true, added: ["left", "right"], removed: ["left", "right"] });
});

test("send and receive carry a dump in several pieces, as `ip link` shows it, and the kernel's refusals", async () => {
  const ENODEV = 19;
  expect(await found("requests")).toEqual({
    same: true,
    links: 81,
    addressed: true,
    refusal: { isError: true, sequence: 8, errno: -ENODEV },
    more: "none",
  });
});

test("a burst of events: none is missed; a group that was left is silent", async () => {
  expect(await found("burst")).toEqual({ removed: 200, afterLeaving: 0 });
});

test("an overflow is ENOBUFS, once, and what comes later is received", async () => {
  expect(await found("overflow")).toEqual({ errors: ["ENOBUFS true"], pieces: true, told: true, after: true });
});

test("what another process sends is not received", async () => {
  expect(await found("forged")).toEqual({ sent: true, received: [10] });
});

test("close leaves no descriptor and no thread, also where a watch was just beginning", async () => {
  expect(await found("closing")).toEqual({ left: 0 });
});

test("what cannot be done throws with errno and operation", async () => {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  using closed = new NetlinkSocket(NETLINK_ROUTE);
  closed.close();
  expect([
    await refusalOf(() => new NetlinkSocket(NO_PROTOCOL)),
    await refusalOf(() => socket.join(NO_GROUP)),
    await refusalOf(() => socket.send(new Uint8Array(16 * 1024 * 1024))),
  ]).toEqual([
    "EPROTONOSUPPORT unavailable: open a netlink socket of protocol 31",
    "EINVAL failed: join group 4000 with a netlink socket of protocol 0",
    "EMSGSIZE failed: send 16777216 bytes by a netlink socket of protocol 0",
  ]);
  expect(socket.receive()).toBeUndefined();
});
