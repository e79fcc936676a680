import type { NetlinkSocket } from "../../sys/native/netlink-socket.ts";

/** What carries pieces to the kernel and back: NetlinkSocket, or in tests what stands in for it. */
export type Transport = Pick<NetlinkSocket, "port" | "send" | "receive" | "watch" | "join" | "close">;
