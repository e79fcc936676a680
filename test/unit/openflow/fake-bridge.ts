import { Framer } from "../../../src/core/framer.ts";
import type { Bridge } from "../../../src/protocols/openflow/bridge.ts";
import { BUNDLE, bundleControl, bundleControlOf } from "../../../src/protocols/openflow/bundle.ts";
import { openBridges } from "../../../src/protocols/openflow/client.ts";
import { encodeHello } from "../../../src/protocols/openflow/hello.ts";
import { decodeMessage, encodeMessage, messageLength, OF13, OF14, TYPES, type Message } from "../../../src/protocols/openflow/message.ts";
import { scratch } from "../sys/scratch.ts";

/** What the bridge does with each message after its Hello. */
export type Behaviour = (message: Message, peer: FakeSocket) => void;

export interface FakeSocket {
  write(bytes: Uint8Array): void;
  /** A message with the xid of the one that it answers. */
  reply(to: Message, type: number, body?: Uint8Array): void;
  end(): void;
}

export interface FakeBridge extends AsyncDisposable {
  readonly received: Message[];
  readonly bridge: Bridge;
}

export interface FakeBridgeOptions {
  /** The versions that it offers; undefined: nothing at all. */
  readonly versions?: readonly number[] | undefined;
  readonly behaviour?: Behaviour;
  readonly timeoutMs?: number;
}

/** A server of our own on a management socket, and a bridge connected to it. By default it says Hello and is silent after. */
export function fakeBridge(options: FakeBridgeOptions = {}): FakeBridge {
  const folder = scratch();
  const received: Message[] = [];
  const versions = "versions" in options ? options.versions : [OF13, OF14];
  const server = Bun.listen<{ readonly framer: Framer; outgoing: Uint8Array }>({
    unix: folder.file("mesh.mgmt"),
    socket: {
      open(socket) {
        socket.data = { framer: new Framer(messageLength), outgoing: new Uint8Array() };
        if (versions !== undefined) send(socket, encodeMessage({ version: Math.max(...versions), type: TYPES.HELLO, xid: 1, body: encodeHello(versions) }));
      },
      data(socket, chunk) {
        const { framer } = socket.data;
        framer.push(chunk);
        for (let bytes = framer.next(); bytes !== undefined; bytes = framer.next()) {
          const message = decodeMessage(bytes);
          received.push(message);
          if (message.type === TYPES.HELLO) continue;
          options.behaviour?.(message, {
            write: (out) => send(socket, out),
            reply: (to, type, body = new Uint8Array()) => send(socket, encodeMessage({ version: to.version, type, xid: to.xid, body })),
            end: () => void socket.end(),
          });
        }
      },
      drain: (socket) => send(socket, new Uint8Array()),
    },
  });
  const bridge = openBridges({ folder: folder.file(), timeoutMs: options.timeoutMs ?? 5_000 }).open("mesh");
  return {
    received,
    bridge,
    async [Symbol.asyncDispose]() {
      bridge.close();
      server.stop(true);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Answers barriers and the requests of bundles; `otherwise` sees the rest, and may take these over by returning true. */
export function withBundles(otherwise: (message: Message, peer: FakeSocket) => boolean | void): Behaviour {
  return (message, peer) => {
    if (otherwise(message, peer) === true) return;
    const control = bundleControlOf(message);
    if (message.type === TYPES.BARRIER_REQUEST) peer.reply(message, TYPES.BARRIER_REPLY);
    else if (control !== undefined) peer.reply(message, message.type, bundleControl(OF14, message.xid, { ...control, control: control.control + (BUNDLE.OPEN_REPLY - BUNDLE.OPEN_REQUEST) }).body);
  };
}

/** What the socket does not take at once goes when it drains. */
function send(socket: Bun.Socket<{ outgoing: Uint8Array }>, bytes: Uint8Array): void {
  const waiting = Buffer.concat([socket.data.outgoing, bytes]);
  socket.data.outgoing = waiting.subarray(Math.max(0, socket.write(waiting)));
}
