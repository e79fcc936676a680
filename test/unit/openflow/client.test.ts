import { expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import { BUNDLE, bundleControlOf } from "../../../src/protocols/openflow/bundle.ts";
import { openBridges } from "../../../src/protocols/openflow/client.ts";
import { encodeError } from "../../../src/protocols/openflow/errors.ts";
import { parseFlow, printFlow } from "../../../src/protocols/openflow/flow-text.ts";
import { encodeFlowStats, type FlowMod } from "../../../src/protocols/openflow/flow.ts";
import { encodeMessage, MESSAGE_LIMIT_BYTES, OF13, OF14, TYPES, type Message } from "../../../src/protocols/openflow/message.ts";
import { encodePart, MULTIPART } from "../../../src/protocols/openflow/multipart.ts";
import { NUMBERS_ONLY } from "../../../src/protocols/openflow/port-names.ts";
import { readOnly } from "../../../src/protocols/openflow/read-only.ts";
import { scratch } from "../sys/scratch.ts";
import { fakeBridge, withBundles, type FakeSocket } from "./fake-bridge.ts";

async function failure(action: Promise<unknown>): Promise<OpError> {
  const error = await action.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(OpError);
  return error as OpError;
}

const add = (text: string): FlowMod => ({ command: "add", flow: parseFlow(text, NUMBERS_ONLY) });
const part = (text: string, more: boolean) => encodePart({ type: MULTIPART.FLOW, more, body: encodeFlowStats([{ ...parseFlow(text, NUMBERS_ONLY), durationMs: 5, packets: 1n, bytes: 2n }]) });
const error = (type: number, code: number, about: Message) => encodeError({ type, code, data: encodeMessage(about).subarray(0, 64) });
const controls = (messages: readonly Message[]) => messages.flatMap((message) => bundleControlOf(message)?.control ?? []);

test("flows gives the flows of all parts, in pieces of any size", async () => {
  await using fake = fakeBridge({
    behaviour(message, peer) {
      const answer = [part("priority=1,actions=drop", true), part("priority=2,tcp,actions=output:1", true), part("priority=3,actions=drop", false)];
      const bytes = Buffer.concat(answer.map((body) => encodeMessage({ version: OF14, type: TYPES.MULTIPART_REPLY, xid: message.xid, body })));
      for (const byte of bytes) peer.write(Uint8Array.of(byte));
    },
  });
  expect((await fake.bridge.flows()).map((flow) => printFlow(flow, NUMBERS_ONLY))).toEqual(["priority=1 actions=drop", "priority=2,tcp actions=output:1", "priority=3 actions=drop"]);
  expect(fake.bridge.counts).toEqual({ reads: 2, writes: 0 });
});

test("what is asked together is answered each to its own", async () => {
  await using fake = fakeBridge({
    behaviour(message, peer) {
      if (message.body[1] === MULTIPART.FLOW) peer.reply(message, TYPES.MULTIPART_REPLY, part("priority=7,actions=drop", false));
      else peer.reply(message, TYPES.MULTIPART_REPLY, encodePart({ type: MULTIPART.PORT_DESC, more: false, body: new Uint8Array() }));
    },
  });
  const [flows, ports, again] = await Promise.all([fake.bridge.flows(), fake.bridge.ports(), fake.bridge.flows()]);
  expect([flows.length, ports.length, again.length]).toEqual([1, 0, 1]);
});

test("the highest version in common is spoken; with none the error says what to do", async () => {
  for (const [versions, spoken] of [[[OF13, OF14], OF14], [[1, OF13], OF13], [[OF13, OF14, 6], OF14]] as const) {
    await using fake = fakeBridge({ versions, behaviour: (message, peer) => peer.reply(message, TYPES.MULTIPART_REPLY, part("actions=drop", false)) });
    expect((await fake.bridge.flows()).length).toBe(1);
    expect(fake.received.map(({ version }) => version)).toEqual([OF14, spoken]);
  }
  await using other = fakeBridge({ versions: [1] });
  const refused = await failure(other.bridge.flows());
  expect([refused.kind, refused.message, refused.hint]).toEqual(["unavailable", "Bridge 'mesh' speaks only OpenFlow10; op-dbus speaks OpenFlow14 and OpenFlow13", "Allow it with 'ovs-vsctl add bridge mesh protocols OpenFlow13 OpenFlow14'"]);
  expect(await failure(other.bridge.flows())).toBe(refused);
});

test("change opens one bundle, adds everything, and commits after the barrier", async () => {
  await using fake = fakeBridge({ behaviour: withBundles(() => {}) });
  await fake.bridge.change([add("priority=1,actions=drop"), add("priority=2,actions=drop")]);
  expect(fake.received.map(({ type }) => type)).toEqual([TYPES.HELLO, TYPES.BUNDLE_CONTROL, TYPES.BUNDLE_ADD_MESSAGE, TYPES.BUNDLE_ADD_MESSAGE, TYPES.BARRIER_REQUEST, TYPES.BUNDLE_CONTROL, TYPES.BARRIER_REQUEST]);
  expect(controls(fake.received)).toEqual([BUNDLE.OPEN_REQUEST, BUNDLE.COMMIT_REQUEST]);
  expect(fake.bridge.counts).toEqual({ reads: 3, writes: 4 });
  await fake.bridge.change([]);
  expect(fake.received.length).toBe(7);
});

test("an error about one change discards the bundle, and names the flow", async () => {
  await using fake = fakeBridge({
    behaviour: withBundles((message, peer) => {
      if (message.type === TYPES.BUNDLE_ADD_MESSAGE && message.xid % 2 === 0) peer.reply(message, TYPES.ERROR, error(2, 4, message));
    }),
  });
  const refused = await failure(fake.bridge.change(["priority=1,actions=output:1", "priority=2,actions=output:2", "priority=3,actions=output:3", "priority=4,actions=output:4"].map(add)));
  expect([refused.kind, refused.message]).toEqual(["failed", "Bridge 'mesh': add priority=2 actions=output:2: an action's port cannot be output to (OFPBAC_BAD_OUT_PORT)"]);
  expect(refused.details).toEqual(["Bridge 'mesh': add priority=4 actions=output:4: an action's port cannot be output to (OFPBAC_BAD_OUT_PORT)"]);
  expect(controls(fake.received)).toEqual([BUNDLE.OPEN_REQUEST, BUNDLE.DISCARD_REQUEST]);
});

test("an error at the commit names the flow too; permissions are refused, and a commit without an answer is no success", async () => {
  const atCommit = (answer: (message: Message, peer: FakeSocket) => void) => withBundles((message, peer) => {
    if (bundleControlOf(message)?.control !== BUNDLE.COMMIT_REQUEST) return false;
    answer(message, peer);
    return true;
  });
  const add2 = [add("priority=1,actions=group:1"), add("priority=2,actions=group:2")];
  await using wrong = fakeBridge({
    behaviour: atCommit((message, peer) => {
      peer.reply({ ...message, xid: message.xid - 2 }, TYPES.ERROR, error(2, 9, message));
      peer.reply(message, TYPES.ERROR, error(17, 13, message));
    }),
  });
  expect((await failure(wrong.bridge.change(add2))).message).toBe("Bridge 'mesh': add priority=2 actions=group:2: there is no such group (OFPBAC_BAD_OUT_GROUP)");
  await using denied = fakeBridge({ behaviour: atCommit((message, peer) => peer.reply(message, TYPES.ERROR, error(5, 4, message))) });
  expect(await failure(denied.bridge.change(add2))).toMatchObject({ kind: "refused", message: "Bridge 'mesh': the bundle: the flow must not be changed (OFPFMFC_EPERM)" });
  await using silent = fakeBridge({ behaviour: atCommit(() => {}) });
  expect(await failure(silent.bridge.change(add2))).toMatchObject({ kind: "failed", message: "Bridge 'mesh' did not say that it has made the changes" });
});

test("an answer without an end is an error", async () => {
  await using fake = fakeBridge({
    behaviour(message, peer) {
      const empty = encodeMessage({ version: OF14, type: TYPES.MULTIPART_REPLY, xid: message.xid, body: encodePart({ type: MULTIPART.FLOW, more: true, body: new Uint8Array() }) });
      const many = Buffer.concat(Array.from({ length: 1_000 }, () => empty));
      for (let sent = 0; sent < 101; sent += 1) peer.write(many);
    },
  });
  expect(await failure(fake.bridge.flows())).toMatchObject({ kind: "failed", message: "Bridge 'mesh' told of more than 100000 parts of an answer" });
});

test("a flow that no message can hold is refused before anything is sent", async () => {
  await using fake = fakeBridge({ behaviour: withBundles(() => {}) });
  const long = `actions=${Array.from({ length: MESSAGE_LIMIT_BYTES / 16 }, () => "output:1").join(",")}`;
  expect(await failure(fake.bridge.change([add("actions=drop"), add(long)]))).toMatchObject({ kind: "invalid" });
  expect(fake.bridge.counts).toEqual({ reads: 1, writes: 0 });
});

test("a bridge that is silent, leaves or talks nonsense is unavailable, for what waits and what comes after", async () => {
  const cases: [string, Parameters<typeof fakeBridge>[0]][] = [
    ["did not answer within 0.05 s", { versions: undefined, timeoutMs: 50 }],
    ["did not answer within 0.05 s", { timeoutMs: 50 }],
    ["closed the connection", { behaviour: (_, peer) => peer.end() }],
    ["sent what is not OpenFlow: a message of 3 bytes", { behaviour: (_, peer) => peer.write(Uint8Array.of(5, 19, 0, 3, 0, 0, 0, 0)) }],
    ["sent what is not OpenFlow: a flow of 2 bytes", { behaviour: (message, peer) => peer.reply(message, TYPES.MULTIPART_REPLY, encodePart({ type: MULTIPART.FLOW, more: false, body: Uint8Array.of(0, 2) })) }],
    ["sent what is not OpenFlow: a message of OpenFlow13 after OpenFlow14 was agreed on", { behaviour: (message, peer) => peer.reply({ ...message, version: OF13 }, TYPES.BARRIER_REPLY) }],
  ];
  for (const [why, options] of cases) {
    await using fake = fakeBridge(options);
    const [first, second] = await Promise.all([failure(fake.bridge.flows()), failure(fake.bridge.change([add("actions=drop")]))]);
    expect(first.kind).toBe("unavailable");
    expect(first.message).toEndWith(`mesh.mgmt ${why}`);
    expect(second).toBe(first);
  }
});

test("the bridge's own messages are not taken for answers, and its echo is answered", async () => {
  await using fake = fakeBridge({
    behaviour(message, peer) {
      if (message.type === TYPES.ECHO_REPLY) return peer.reply({ ...message, xid: 2 }, TYPES.MULTIPART_REPLY, part("priority=9,actions=drop", false));
      const PACKET_IN = 10;
      peer.reply(message, PACKET_IN, part("priority=1,actions=drop", false));
      peer.reply({ ...message, xid: 99 }, TYPES.MULTIPART_REPLY, part("priority=1,actions=drop", false));
      peer.reply({ ...message, xid: 7 }, TYPES.ECHO_REQUEST, Buffer.from("hello"));
    },
  });
  expect((await fake.bridge.flows()).map(({ priority }) => priority)).toEqual([9]);
  expect(fake.received.at(-1)).toMatchObject({ type: TYPES.ECHO_REPLY, xid: 7, body: Buffer.from("hello") });
});

test("a read-only bridge sends no change, and connects to nothing for it", async () => {
  await using folder = scratch();
  const bridges = readOnly(openBridges({ folder: folder.file() }));
  const bridge = bridges.open("mesh");
  expect(await failure(bridge.change([add("actions=drop")]))).toMatchObject({ kind: "internal" });
  expect(bridge.counts).toEqual({ reads: 0, writes: 0 });
  expect(await bridges.names()).toEqual([]);
  expect(await failure(bridge.flows())).toMatchObject({ kind: "unavailable" });
  expect(await failure(bridges.open("../mesh").flows())).toMatchObject({ kind: "invalid" });
});
