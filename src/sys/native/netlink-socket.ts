import { closeSync } from "node:fs";
import { OpError } from "../../core/errors.ts";
import { check, failure } from "./failure.ts";
import type { Hearing } from "./hearing.ts";
import { native } from "./library.ts";
import { watchReadable } from "./readiness.ts";

/** linux/netlink.h: what can be set on a socket. */
const OPTIONS = { ADD_MEMBERSHIP: 1, DROP_MEMBERSHIP: 2, CAP_ACK: 10, EXT_ACK: 11, GET_STRICT_CHK: 12 } as const;

export type NetlinkSwitch = "CAP_ACK" | "EXT_ACK" | "GET_STRICT_CHK";

/** Larger than anything that the kernel sends in one piece: dumps come in up to 32 KiB, single answers in what they need. */
const LARGEST_BYTES = 256 * 1024;
const EAGAIN = 11;
const KERNEL = 0;

/** Where messages are received before they are copied out, by all sockets. */
let room: Uint8Array | undefined;

/**
 * A socket to the kernel (netlink(7), net/netlink/af_netlink.c) in the network namespace that this process is in. It carries messages
 * whole and knows nothing of what is in them. Not to be used after it was closed.
 */
export class NetlinkSocket implements Disposable {
  readonly fd: number;
  /** What the kernel calls this socket: nlmsg_pid in what it sends. */
  readonly port: number;
  readonly #name: string;
  readonly #watches = new Set<Hearing>();
  #open = true;

  /** Protocols are numbers of linux/netlink.h: 0 is NETLINK_ROUTE. EPROTONOSUPPORT (kind unavailable) where the kernel does not have the protocol. */
  constructor(protocol: number) {
    this.#name = `netlink socket of protocol ${protocol}`;
    this.fd = check(native().opd_netlink_open(protocol), `open a ${this.#name}`);
    const port = new Uint32Array(1);
    check(native().opd_netlink_port(this.fd, port), `ask for the port of a ${this.#name}`);
    this.port = port[0] ?? 0;
  }

  /** Receives what is told to a group from now on. EINVAL where the protocol has no such group, EPERM where it is not for all. */
  join(group: number): void {
    check(native().opd_netlink_option(this.fd, OPTIONS.ADD_MEMBERSHIP, group), `join group ${group} with a ${this.#name}`);
  }

  leave(group: number): void {
    check(native().opd_netlink_option(this.fd, OPTIONS.DROP_MEMBERSHIP, group), `leave group ${group} with a ${this.#name}`);
  }

  /** ENOPROTOOPT where the kernel is too old: EXT_ACK and CAP_ACK came with Linux 4.12, GET_STRICT_CHK with 4.20. */
  switch(name: NetlinkSwitch, on: boolean): void {
    check(native().opd_netlink_option(this.fd, OPTIONS[name], on ? 1 : 0), `switch NETLINK_${name} with a ${this.#name}`);
  }

  /** One or more messages, which the kernel works on before this returns; its answers are to be received. EAGAIN where it has no room, EMSGSIZE for too long ones. */
  send(message: Uint8Array): void {
    const operation = `send ${message.length} bytes by a ${this.#name}`;
    const sent = check(native().opd_netlink_send(this.fd, message, message.length), operation);
    if (sent !== message.length) throw new OpError("failed", `Could not ${operation}: only ${sent} were taken`, { operation });
  }

  /**
   * The next piece that the kernel has sent, of one or more messages; undefined where there is none. ENOBUFS (retryable) says that pieces
   * were lost since they came faster than they were received: the next are there to be received, and what was built on the lost ones is to
   * be read anew. What other processes send to this socket is not received.
   */
  receive(): Uint8Array | undefined {
    room ??= new Uint8Array(LARGEST_BYTES);
    const from = new Uint32Array(1);
    const operation = `receive from a ${this.#name}`;
    for (;;) {
      const length = native().opd_netlink_receive(this.fd, room, room.length, from);
      if (length === -EAGAIN) return undefined;
      check(length, operation);
      if (from[0] !== KERNEL) continue;
      if (length > room.length) throw failure("EMSGSIZE", operation);
      return room.slice(0, length);
    }
  }

  /** Calls `readable` when there may be something to receive, as watchReadable does: receive until there is no more. Ends with the socket. */
  async watch(readable: () => void): Promise<Hearing> {
    const watch = await watchReadable(this.fd, readable);
    if (this.#open) this.#watches.add(watch);
    else watch.close();
    return watch;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const watch of this.#watches) watch.close();
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
