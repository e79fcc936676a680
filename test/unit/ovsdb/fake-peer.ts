import { Framer } from "../../../src/protocols/ovsdb/framer.ts";
import type { Wire } from "../../../src/protocols/ovsdb/json.ts";
import { decodeMessage, encodeMessage, type Message } from "../../../src/protocols/ovsdb/message.ts";
import { scratch } from "../sys/scratch.ts";

/** What the peer does with each message. */
export type Behaviour = (message: Message, peer: FakeSocket) => void;

export interface FakeSocket {
  write(bytes: Uint8Array | string): void;
  send(message: Message): void;
  /** Answers a request; other messages have no answer. */
  reply(to: Message, result: Wire): void;
  end(): void;
}

export interface FakePeer extends AsyncDisposable {
  readonly address: string;
  readonly received: Message[];
}

/** A server of our own that speaks as much OVSDB as the test wants it to. */
export function fakePeer(behaviour: Behaviour): FakePeer {
  const folder = scratch();
  const path = folder.file("db.sock");
  const received: Message[] = [];
  const server = Bun.listen<Framer>({
    unix: path,
    socket: {
      open(socket) {
        socket.data = new Framer();
      },
      data(socket, chunk) {
        socket.data.push(chunk);
        const write = (bytes: Uint8Array | string) => void socket.write(bytes);
        const send = (message: Message) => write(encodeMessage(message));
        for (let text = socket.data.next(); text !== undefined; text = socket.data.next()) {
          const message = decodeMessage(text);
          received.push(message);
          const reply = (to: Message, result: Wire) => "id" in to && send({ kind: "reply", id: to.id, result });
          behaviour(message, { write, send, reply, end: () => void socket.end() });
        }
      },
    },
  });
  return {
    address: `unix:${path}`,
    received,
    async [Symbol.asyncDispose]() {
      server.stop(true);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The method of a message that has one. */
export function methodOf(message: Message): string {
  return "method" in message ? message.method : message.kind;
}
