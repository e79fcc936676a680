import { expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import { addAddress } from "../../../src/protocols/netlink/changes.ts";
import { openNetlink, type NetlinkOptions } from "../../../src/protocols/netlink/client.ts";
import { AF_UNSPEC, RTM } from "../../../src/protocols/netlink/constants.ts";
import { netlinkErrorCode } from "../../../src/protocols/netlink/errors.ts";
import { LINK } from "../../../src/protocols/netlink/link.ts";
import { deleteLink, setLink } from "../../../src/protocols/netlink/link-changes.ts";
import { NLM_F, NLMSG_NOOP, NLMSG_OVERRUN, type Message } from "../../../src/protocols/netlink/message.ts";
import type { Netlink, NetlinkEvent } from "../../../src/protocols/netlink/netlink.ts";
import { readOnly } from "../../../src/protocols/netlink/read-only.ts";
import { dumpLinks, getLink, isDump } from "../../../src/protocols/netlink/reads.ts";
import { acknowledged, done, FakeKernel, said } from "./fake-kernel.ts";

type Answers = (request: Message, kernel: FakeKernel) => readonly Buffer[];

const link = (name: string) => LINK.bytes({ family: AF_UNSPEC, type: 1, index: 3, flags: 0, change: 0, name }, "test");
const told = (request: Pick<Message, "sequence">, name: string, flags: number = NLM_F.MULTI) => said(request, RTM.NEWLINK, { payload: link(name), flags });
const names = (links: readonly { readonly name?: string }[]) => links.map(({ name }) => name);
const address = (number: number) => addAddress({ index: 1, address: `10.0.0.${number}`, prefixLength: 24 });

async function failure(action: Promise<unknown>): Promise<OpError> {
  const error = await action.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(OpError);
  return error as OpError;
}

/** A client whose sockets are the kernels given, one after the other. */
function clientOf(kernels: readonly FakeKernel[], options: NetlinkOptions = {}): Netlink & Disposable {
  const left = [...kernels];
  const netlink = openNetlink({
    open() {
      const kernel = left.shift();
      if (kernel === undefined) throw new OpError("unavailable", "No socket is left");
      return kernel;
    },
    ...options,
  });
  return Object.assign(netlink, { [Symbol.dispose]: () => netlink.close() });
}

function answering(answers: Answers, options: NetlinkOptions = {}) {
  const kernel = new FakeKernel(answers);
  return { kernel, netlink: clientOf([kernel], options) };
}

test("send gives what a dump says in several pieces, and believes only what is for this socket and this request", async () => {
  const { netlink } = answering((request) => [
    Buffer.concat([said(request, NLMSG_NOOP), told(request, "a"), told({ sequence: request.sequence + 1 }, "late")]),
    said(request, RTM.NEWLINK, { payload: link("foreign"), port: 1 }),
    said(request, RTM.NEWADDR, { payload: Buffer.alloc(8) }),
    told(request, "b"),
    done(request),
  ]);
  using _ = netlink;
  expect(names(await netlink.send(dumpLinks()))).toEqual(["a", "b"]);
});

test("requests made together travel together, in order, and a refused one does not keep the others from being done", async () => {
  const { netlink, kernel } = answering((request) => [acknowledged(request, request.sequence === 2 ? 17 : 0)]);
  using _ = netlink;
  const results = await Promise.allSettled([1, 2, 3].map((number) => netlink.send(address(number))));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(kernel.sent.map((together) => together.map(({ sequence, flags, payload }) => [sequence, flags, payload.at(-1)]))).toEqual([
    [1, 2, 3].map((number) => [number, NLM_F.REQUEST | NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL, number]),
  ]);
  const error = await failure(netlink.send(setLink({ index: 1 }, {})).then(() => Promise.reject((results[1] as PromiseRejectedResult).reason)));
  expect([error.kind, error.message, netlinkErrorCode(error)]).toEqual(["failed", "Could not add address 10.0.0.2/24 to link 1: File exists (EEXIST)", "EEXIST"]);
  expect(netlink.counts).toEqual({ reads: 0, writes: 4 });
});

test("at most as many travel together as acknowledgements have room, and a dump travels by itself", async () => {
  const { netlink, kernel } = answering((request) => (isDump(request) ? [done(request)] : request.type === RTM.GETLINK ? [told(request, "a", 0), acknowledged(request)] : [acknowledged(request)]));
  using _ = netlink;
  const reads = Array.from({ length: 10 }, () => netlink.send(getLink({ index: 3 })));
  await Promise.all([...Array.from({ length: 70 }, (_, number) => netlink.send(address(number))), netlink.send(dumpLinks()), netlink.send(address(99)), ...reads]);
  // The ten reads were made first: eight of them have the room of 64.
  expect(kernel.sent.map((together) => together.length)).toEqual([8, 2 + 48, 22, 1, 1]);
});

test("a dump that was interrupted is asked for again, and only so often", async () => {
  const times = (interrupted: number): Answers => {
    let asked = 0;
    return (request) => [told(request, `${++asked}`), done(request, NLM_F.MULTI | (asked <= interrupted ? NLM_F.DUMP_INTR : 0))];
  };
  const [few, many] = [answering(times(9)), answering(times(10))];
  using _few = few.netlink;
  using _many = many.netlink;
  expect(names(await few.netlink.send(dumpLinks()))).toEqual(["10"]);
  expect(few.netlink.counts.reads).toBe(10);
  const error = await failure(many.netlink.send(dumpLinks()));
  expect([error.kind, error.retryable, error.message, many.kernel.sent.length]).toEqual(["unavailable", true, "Could not read the links: the kernel was interrupted by changes 10 times", 10]);
});

test("an answer that comes later is waited for", async () => {
  const { netlink } = answering((request, kernel) => {
    setImmediate(() => kernel.later(told(request, "a")));
    setTimeout(() => kernel.later(done(request)), 1);
    return [];
  });
  using _ = netlink;
  expect(names(await netlink.send(dumpLinks()))).toEqual(["a"]);
});

test("without an answer a request ends, and the next one has a socket of its own", async () => {
  const silent = new FakeKernel((request) => (request.sequence === 1 ? [acknowledged(request)] : []));
  using netlink = clientOf([silent, new FakeKernel((request) => [told(request, "a"), done(request)])], { timeoutMs: 1 });
  const [first, second, third] = [netlink.send(address(1)), failure(netlink.send(address(2))), netlink.send(dumpLinks())];
  expect(await first).toBeUndefined();
  const error = await second;
  expect([error.kind, error.message]).toEqual(["unavailable", "Could not add address 10.0.0.2/24 to link 1: the kernel did not answer within 0.001 s, and it may be done"]);
  expect(names(await third)).toEqual(["a"]);
  expect([silent.closed, silent.watched]).toEqual([1, 0]);
});

test("an answer that was lost, is too long or is not netlink ends the request and the socket", async () => {
  const cases: readonly (readonly [string, Answers])[] = [
    ["lost some of its answer", (_, kernel) => (kernel.later("ENOBUFS"), [])],
    ["lost some of its answer", (request) => [said(request, NLMSG_OVERRUN)]],
    ["has more to say than there is room for", (request) => Array.from({ length: 100 }, () => told(request, "a"))],
    ["sent what is not netlink: 3 bytes after the last message", () => [Buffer.alloc(3)]],
    ["sent what is not netlink: a message of 2 bytes without its header of 16", (request) => [said(request, RTM.NEWLINK, { payload: Buffer.alloc(2) }), done(request)]],
  ];
  for (const [message, answers] of cases) {
    const { netlink } = answering(answers, { answerLimitBytes: 1000 });
    using _ = netlink;
    const error = await failure(netlink.send(dumpLinks()));
    expect([error.kind, error.message]).toEqual(["unavailable", `Could not read the links: the kernel ${message}`]);
  }
});

test("what is a bug is told as it is, and the next request goes on", async () => {
  const broken = new FakeKernel(() => {
    throw new TypeError("a bug");
  });
  using netlink = clientOf([broken, new FakeKernel((request) => [done(request)])]);
  const [error, links] = await Promise.all([netlink.send(address(1)).catch((reason: unknown) => reason), netlink.send(dumpLinks())]);
  expect(error).toEqual(new TypeError("a bug"));
  expect(links).toEqual([]);
});

test("without a socket each request says why", async () => {
  using netlink = clientOf([]);
  const errors = await Promise.all([failure(netlink.send(dumpLinks())), failure(netlink.send(address(1)))]);
  expect(errors.map(({ message }) => message)).toEqual(Array(2).fill("No socket is left"));
});

test("close ends what is under way and what comes after", async () => {
  const { netlink, kernel } = answering(() => (setImmediate(() => netlink.close()), []));
  const errors = await Promise.all([failure(netlink.send(address(1))), failure(netlink.send(dumpLinks()))]);
  errors.push(await failure(netlink.send(dumpLinks())), await failure(netlink.subscribe(["link"], () => undefined)));
  expect(errors.map(({ message }) => message)).toEqual([
    "Could not add address 10.0.0.1/24 to link 1: the kernel was left before it answered, and it may be done",
    ...Array<string>(2).fill("Could not read the links: the netlink client was closed"),
    "Could not subscribe to events: the netlink client was closed",
  ]);
  expect(kernel.closed).toBe(1);
});

test("readOnly refuses what is not in the list of reads, before it is sent", async () => {
  const { netlink, kernel } = answering((request) => [told(request, "a"), done(request)]);
  using _ = netlink;
  const reader = readOnly(netlink);
  const error = await failure(reader.send(deleteLink({ name: "eth0" })));
  expect([error.kind, error.message, kernel.sent.length]).toEqual(["internal", "The request to delete link eth0 would write", 0]);
  expect(names(await reader.send(dumpLinks()))).toEqual(["a"]);
  expect(reader.counts).toEqual({ reads: 1, writes: 0 });
});

test("subscribe delivers in order, tells of losses, and ends when it is disposed, also by the handler", async () => {
  const [kernel, other] = [new FakeKernel(() => []), new FakeKernel(() => [])];
  using netlink = clientOf([kernel, other]);
  const seen: (string | undefined)[] = [];
  const note = (event: NetlinkEvent) => void seen.push(event.kind === "link" ? `${event.change} ${event.link.name}` : event.kind);
  const event = (type: number, name: string) => said({ sequence: 0 }, type, { payload: link(name), port: 0 });
  const subscription = await netlink.subscribe(["link", "ipv4-address"], note);
  kernel.later(event(RTM.NEWLINK, "a"), "ENOBUFS", Buffer.concat([event(RTM.DELLINK, "a"), event(RTM.NEWLINK, "b")]), Buffer.alloc(5), event(99, "c"));
  expect(seen).toEqual(["new a", "lost", "deleted a", "new b", "lost"]);
  subscription[Symbol.dispose]();
  expect(kernel.closed).toBe(1);
  const once = await netlink.subscribe(["link"], (each) => (note(each), once[Symbol.dispose]()));
  other.later(Buffer.concat([event(RTM.NEWLINK, "d"), event(RTM.NEWLINK, "e")]), event(RTM.NEWLINK, "f"));
  expect([seen.slice(5), other.closed]).toEqual([["new d"], 1]);
});
