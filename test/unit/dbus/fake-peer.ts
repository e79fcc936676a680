import { Framer } from "../../../src/core/framer.ts";
import { decodeMessage, encodeMessage, messageLength, METHOD_RETURN, type Message } from "../../../src/protocols/dbus/message.ts";
import { scratch } from "../sys/scratch.ts";

/** What the peer does with each message, Hello included. */
export type Behaviour = (message: Message, peer: FakeSocket) => void;

export interface FakeSocket {
  write(bytes: Uint8Array | string): void;
  reply(to: Message, fields?: Partial<Message>): void;
  end(): void;
}

export interface FakePeer extends AsyncDisposable {
  readonly path: string;
  readonly address: string;
  readonly received: Message[];
}

export interface FakePeerOptions {
  /** What it says to authentication; undefined: nothing. */
  readonly greeting?: string | undefined;
  readonly behaviour?: Behaviour;
}

const OK = `OK ${"0123456789abcdef".repeat(2)}\r\n`;

/** A server of our own that speaks as much D-Bus as the test wants it to. By default it answers Hello and is silent after. */
export function fakePeer(options: FakePeerOptions = {}): FakePeer {
  const folder = scratch();
  const path = folder.file("peer");
  const received: Message[] = [];
  const greeting = "greeting" in options ? options.greeting : OK;
  const server = Bun.listen<{ framer: Framer; begun: boolean; text: string }>({
    unix: path,
    socket: {
      open(socket) {
        socket.data = { framer: new Framer(messageLength), begun: false, text: "" };
        if (greeting !== undefined) socket.write(greeting);
      },
      data(socket, chunk) {
        const state = socket.data;
        let rest: Uint8Array = chunk;
        if (!state.begun) {
          state.text += chunk.toString("latin1");
          const end = state.text.indexOf("BEGIN\r\n");
          if (end < 0) return;
          state.begun = true;
          rest = Buffer.from(state.text.slice(end + 7), "latin1");
        }
        state.framer.push(rest);
        for (let bytes = state.framer.next(); bytes !== undefined; bytes = state.framer.next()) {
          const message = decodeMessage(bytes);
          received.push(message);
          (options.behaviour ?? answerHello)(message, {
            write: (out) => void socket.write(out),
            reply: (to, fields = {}) => void socket.write(replyTo(to, fields)),
            end: () => void socket.end(),
          });
        }
      },
    },
  });
  return {
    path,
    address: `unix:path=${path}`,
    received,
    async [Symbol.asyncDispose]() {
      server.stop(true);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Answers Hello and leaves the rest to `behaviour`. */
export function afterHello(behaviour: Behaviour): Behaviour {
  return (message, peer) => (message.member === "Hello" ? peer.reply(message) : behaviour(message, peer));
}

export function replyTo(message: Message, fields: Partial<Message> = {}): Uint8Array {
  const plain = { type: METHOD_RETURN, flags: 0, serial: 7, replySerial: message.serial, sender: "org.freedesktop.DBus", body: new Uint8Array() };
  return encodeMessage({ ...plain, ...fields });
}

const answerHello: Behaviour = afterHello(() => {});
