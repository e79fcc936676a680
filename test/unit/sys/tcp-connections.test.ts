import { expect, test } from "bun:test";
import { addressesIn, localAddresses } from "../../../src/sys/tcp-connections.ts";

/** Lines of Linux's /proc/net/tcp and tcp6: a listening socket, a connection of each family, one that is over. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0A01A8C0:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0000000000000000 100 0 0 10 0
   1: 0A01A8C0:0016 0201A8C0:C350 01 00000000:00000000 02:000A7214 00000000     0        0 12 2 0000000000000000 20 4 29 10 -1
   2: B80D0120000000000000000010000000:0016 B80D0120000000000000000002000000:C351 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0000000000000000
   3: 0000000000000000FFFF00000B01A8C0:0016 0000000000000000FFFF00000201A8C0:C352 01 00000000:00000000 00:00000000 00000000     0        0 14 1 0000000000000000
   4: 0C01A8C0:0016 0201A8C0:C353 06 00000000:00000000 03:00000F1E 00000000     0        0 15 3 0000000000000000`;

test("addressesIn tells the local ends of established connections among the sockets, mapped addresses as IPv4", () => {
  expect(addressesIn(TABLE, new Set(["11", "12", "13", "14", "15"]))).toEqual(["192.168.1.10", "2001:db8::10", "192.168.1.11"]);
  expect(addressesIn(TABLE, new Set(["13"]))).toEqual(["2001:db8::10"]);
});

test("localAddresses leaves loopback out, and a process that is gone", async () => {
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const client = await Bun.connect({ hostname: "127.0.0.1", port: server.port, socket: { data: () => undefined } });
  expect(localAddresses([process.pid])).toEqual([]);
  expect(localAddresses([2 ** 30])).toEqual([]);
  client.end();
});
