import { expect, test } from "bun:test";
import { socketsIn } from "../../../src/sys/tcp-sockets.ts";

/** Lines of Linux's /proc/net/tcp and tcp6: a listening socket, a connection of each family, one that is over. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0A01A8C0:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0000000000000000 100 0 0 10 0
   1: 0A01A8C0:0016 0201A8C0:C350 01 00000000:00000000 02:000A7214 00000000     0        0 12 2 0000000000000000 20 4 29 10 -1
   2: B80D0120000000000000000010000000:0016 B80D0120000000000000000002000000:C351 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0000000000000000
   3: 0000000000000000FFFF00000B01A8C0:0016 0000000000000000FFFF00000201A8C0:C352 01 00000000:00000000 00:00000000 00000000     0        0 14 1 0000000000000000
   4: 0C01A8C0:0016 0201A8C0:C353 06 00000000:00000000 03:00000F1E 00000000     0        0 15 3 0000000000000000`;

test("socketsIn tells both ends and the state of the sockets that are asked for, mapped addresses as IPv4", () => {
  expect(socketsIn(TABLE, new Set(["11", "12", "13", "14", "15"]))).toEqual([
    { state: "listening", local: "192.168.1.10", remote: "0.0.0.0" },
    { state: "connected", local: "192.168.1.10", remote: "192.168.1.2" },
    { state: "connected", local: "2001:db8::10", remote: "2001:db8::2" },
    { state: "connected", local: "192.168.1.11", remote: "192.168.1.2" },
    { state: "other", local: "192.168.1.12", remote: "192.168.1.2" },
  ]);
  expect(socketsIn(TABLE, new Set(["13"]))).toHaveLength(1);
});
