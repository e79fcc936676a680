import { dlopen } from "bun:ffi";
import { readdirSync } from "node:fs";
import { codeOf, type OpError } from "../../../src/core/errors.ts";
import { NetlinkSocket } from "../../../src/sys/native/netlink-socket.ts";
import { readText } from "../../../src/sys/files.ts";
import { must } from "../harness/command.ts";
import { waitUntil } from "../harness/wait.ts";

/*
 * Runs in a network namespace of its own: netlink.test.ts starts it with the name of a scenario, and reads what it prints, one JSON
 * value. It ends by itself when nothing is watched any more.
 */

const [NETLINK_ROUTE, RTNLGRP_LINK] = [0, 1];
const [NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK] = [2, 3, 16, 17, 18];
const [NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP] = [1, 4, 0x300];
const IFLA_IFNAME = 3;
const [NLMSG_BYTES, IFINFOMSG_BYTES] = [16, 16];

interface Message {
  readonly type: number;
  readonly sequence: number;
  readonly port: number;
  readonly payload: Buffer;
}

/** rtnetlink(7), as much of it as tells one link from another. */
function messagesIn(piece: Uint8Array): Message[] {
  const bytes = Buffer.from(piece);
  const found: Message[] = [];
  for (let at = 0; at < bytes.length; at += (bytes.readUInt32LE(at) + 3) & ~3) {
    const end = at + bytes.readUInt32LE(at);
    found.push({ type: bytes.readUInt16LE(at + 4), sequence: bytes.readUInt32LE(at + 8), port: bytes.readUInt32LE(at + 12), payload: bytes.subarray(at + NLMSG_BYTES, end) });
  }
  return found;
}

function linkName({ payload }: Message): string | undefined {
  for (let at = IFINFOMSG_BYTES; at < payload.length; at += (payload.readUInt16LE(at) + 3) & ~3) {
    if (payload.readUInt16LE(at + 2) === IFLA_IFNAME) return payload.toString("utf8", at + 4, at + payload.readUInt16LE(at) - 1);
  }
  return undefined;
}

/** A request about links; `index` is the one that is asked for, 0 with NLM_F_DUMP for all. */
function getLink(sequence: number, flags: number, index = 0): Buffer {
  const request = Buffer.alloc(NLMSG_BYTES + IFINFOMSG_BYTES);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(RTM_GETLINK, 4);
  request.writeUInt16LE(NLM_F_REQUEST | flags, 6);
  request.writeUInt32LE(sequence, 8);
  request.writeInt32LE(index, NLMSG_BYTES + 4);
  return request;
}

function receiveAll(socket: NetlinkSocket): Message[] {
  const found: Message[] = [];
  for (let piece = socket.receive(); piece !== undefined; piece = socket.receive()) found.push(...messagesIn(piece));
  return found;
}

/** Resolves when what has been received is enough. */
async function until(socket: NetlinkSocket, enough: (messages: readonly Message[]) => boolean): Promise<Message[]> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const messages: Message[] = [];
  using _watch = await socket.watch(() => {
    try {
      messages.push(...receiveAll(socket));
    } catch (error) {
      reject(error);
    }
    if (enough(messages)) resolve();
  });
  await promise;
  return messages;
}

function batch(lines: readonly string[]): Promise<unknown> {
  return must(["ip", "-batch", "-"], { input: `${lines.join("\n")}\n` });
}

const namesOf = (messages: readonly Message[], type: number) => messages.filter((message) => message.type === type).map(linkName);

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  /** Links come and go while the event loop does other things. */
  async events() {
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    socket.join(RTNLGRP_LINK);
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 1);
    const gone = until(socket, (messages) => namesOf(messages, RTM_DELLINK).length === 2);
    // Nothing has happened yet: the loop runs, and the watch waits.
    while (ticks < 5) await new Promise(setImmediate);
    await must(["ip", "link", "add", "left", "type", "veth", "peer", "name", "right"]);
    await must(["ip", "link", "set", "left", "up"]);
    await must(["ip", "link", "delete", "left"]);
    const messages = await gone;
    clearInterval(ticking);
    return { ticks: ticks >= 5, added: [...new Set(namesOf(messages, RTM_NEWLINK))].sort(), removed: namesOf(messages, RTM_DELLINK).sort() };
  },

  /** A request, its answer in several pieces, and a refusal with the kernel's words. */
  async requests() {
    await batch(Array.from({ length: 40 }, (_, n) => `link add a${n} type veth peer name b${n}`));
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    socket.switch("EXT_ACK", true);
    socket.switch("GET_STRICT_CHK", true);
    socket.send(getLink(7, NLM_F_DUMP));
    const dump = await until(socket, (messages) => messages.at(-1)?.type === NLMSG_DONE);
    const { stdout } = await must(["ip", "-json", "link"]);
    const theirs = (JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => ifname);
    socket.send(getLink(8, NLM_F_ACK, 9999));
    const [refusal] = await until(socket, (messages) => messages.length > 0);
    return {
      same: JSON.stringify(namesOf(dump, RTM_NEWLINK)) === JSON.stringify(theirs),
      links: theirs.length,
      addressed: dump.every(({ sequence, port }) => sequence === 7 && port === socket.port),
      refusal: refusal && { isError: refusal.type === NLMSG_ERROR, sequence: refusal.sequence, errno: refusal.payload.readInt32LE(0) },
      more: socket.receive() ?? "none",
    };
  },

  /** Many events at once, each told of before the process ends; then nothing after the group was left. */
  async burst() {
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    socket.join(RTNLGRP_LINK);
    const COUNT = 100;
    const all = until(socket, (messages) => new Set(namesOf(messages, RTM_DELLINK)).size === 2 * COUNT);
    for (let n = 0; n < COUNT; n += 1) await batch([`link add a${n} type veth peer name b${n}`, `link delete a${n}`]);
    const removed = namesOf(await all, RTM_DELLINK);
    socket.leave(RTNLGRP_LINK);
    receiveAll(socket);
    await batch(["link add c type veth peer name d"]);
    return { removed: removed.length, afterLeaving: receiveAll(socket).length };
  },

  /** The socket's memory overflows while nothing is received: that is an error once, and then goes on. */
  async overflow() {
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    socket.join(RTNLGRP_LINK);
    let told = 0;
    using _watch = await socket.watch(() => (told += 1));
    const lines = Array.from({ length: 500 }, (_, n) => `link add a${n} type veth peer name b${n}`);
    Bun.spawnSync(["ip", "-batch", "-"], { stdin: Buffer.from(`${lines.join("\n")}\n`) });
    const seen: (string | undefined)[] = [];
    let last = "";
    while (last !== "none") {
      try {
        last = socket.receive() === undefined ? "none" : "piece";
      } catch (error) {
        last = `${codeOf((error as OpError).cause)} ${(error as OpError).retryable}`;
      }
      if (seen.at(-1) !== last) seen.push(last);
    }
    await must(["ip", "link", "delete", "a0"]);
    const after = await until(socket, (messages) => namesOf(messages, RTM_DELLINK).includes("a0"));
    return { errors: seen.filter((what) => what?.startsWith("E")), pieces: seen.includes("piece"), told: told > 0, after: after.length > 0 };
  },

  /** Another process's message does not pass for the kernel's. */
  async forged() {
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    using forger = new NetlinkSocket(NETLINK_ROUTE);
    const { sendto } = dlopen("libc.so.6", { sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" } }).symbols;
    const to = Buffer.alloc(12);
    to.writeUInt16LE(16, 0);
    to.writeUInt32LE(socket.port, 4);
    const message = getLink(9, 0);
    const sent = sendto(forger.fd, message, message.length, 0, to, to.length);
    socket.send(getLink(10, 0, 1));
    const received = await until(socket, (messages) => messages.length > 0);
    return { sent: Number(sent) === message.length, received: received.map(({ sequence }) => sequence) };
  },

  /** Nothing is left of sockets and watches that were closed, also where a watch was just beginning. */
  async closing() {
    const COUNT = 50;
    const before = descriptors();
    const sockets = Array.from({ length: COUNT }, () => new NetlinkSocket(NETLINK_ROUTE));
    for (const socket of sockets) await socket.watch(() => undefined);
    await waitUntil(() => threads() === COUNT, { what: "a thread for each watch" });
    const late = sockets.map((socket) => socket.watch(() => undefined));
    for (const socket of sockets) socket.close();
    await Promise.all(late);
    await waitUntil(() => threads() === 0, { what: "the threads to end" });
    return { left: descriptors() - before };
  },
};

/** How many of the threads that wait for arrivals there are. */
function threads(): number {
  return readdirSync("/proc/self/task").filter((id) => readText(`/proc/self/task/${id}/comm`) === "opd-watch\n").length;
}

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

const scenario = scenarios[process.argv[2] ?? ""];
if (scenario === undefined) throw new Error(`There is no scenario ${process.argv[2]}`);
console.log(JSON.stringify(await scenario()));
