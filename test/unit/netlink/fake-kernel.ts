import type { Hearing } from "../../../src/sys/native/hearing.ts";
import { failure } from "../../../src/sys/native/failure.ts";
import { encodeMessage, messagesIn, NLM_F, NLMSG_DONE, NLMSG_ERROR, type Message } from "../../../src/protocols/netlink/message.ts";
import type { Transport } from "../../../src/protocols/netlink/transport.ts";

const PORT = 4711;
const HEADER_BYTES = 16;

/** A message of the kernel's to this socket. */
export function said(request: Pick<Message, "sequence">, type: number, { payload = Buffer.alloc(0), flags = 0, port = PORT }: { payload?: Uint8Array; flags?: number; port?: number } = {}): Buffer {
  return encodeMessage({ type, flags, sequence: request.sequence, port, payload });
}

/** The acknowledgement of a request, with the request's header alone. */
export function acknowledged(request: Pick<Message, "sequence">, errno = 0): Buffer {
  const payload = Buffer.alloc(4 + HEADER_BYTES);
  payload.writeInt32LE(0 - errno);
  return said(request, NLMSG_ERROR, { payload, flags: NLM_F.CAPPED });
}

export function done(request: Pick<Message, "sequence">, flags: number = NLM_F.MULTI): Buffer {
  return said(request, NLMSG_DONE, { payload: Buffer.alloc(4), flags });
}

/** What stands in for a socket: it answers when something is sent, or when `later` is called. */
export class FakeKernel implements Transport {
  readonly port = PORT;
  /** What was sent together, each time. */
  readonly sent: Message[][] = [];
  closed = 0;
  readonly #answer: (request: Message, kernel: FakeKernel) => readonly Buffer[];
  readonly #pieces: (Buffer | "ENOBUFS")[] = [];
  readonly #readable = new Set<() => void>();

  constructor(answer: (request: Message, kernel: FakeKernel) => readonly Buffer[]) {
    this.#answer = answer;
  }

  send(bytes: Uint8Array): void {
    const requests = messagesIn(bytes);
    this.sent.push(requests);
    for (const request of requests) this.#pieces.push(...this.#answer(request, this));
  }

  /** What arrives now, while nobody has sent anything. */
  later(...pieces: readonly (Buffer | "ENOBUFS")[]): void {
    this.#pieces.push(...pieces);
    for (const readable of [...this.#readable]) readable();
  }

  receive(): Uint8Array | undefined {
    if (this.closed > 0) throw new Error("A closed socket was used");
    const piece = this.#pieces.shift();
    if (piece === "ENOBUFS") throw failure("ENOBUFS", "receive");
    return piece;
  }

  async watch(readable: () => void): Promise<Hearing> {
    this.#readable.add(readable);
    if (this.#pieces.length > 0) queueMicrotask(readable);
    const close = () => void this.#readable.delete(readable);
    return { close, [Symbol.dispose]: close };
  }

  /** How many watch it. */
  get watched(): number {
    return this.#readable.size;
  }

  join(): void {}

  close(): void {
    this.closed += 1;
  }
}
