import { codeOf, OpError } from "../../core/errors.ts";
import { Answers, Unusable, type Answer } from "./answers.ts";
import { ProtocolViolation } from "./attribute.ts";
import { encodeMessage, NLM_F } from "./message.ts";
import type { Request } from "./netlink.ts";
import { isDump } from "./reads.ts";
import type { Transport } from "./transport.ts";

export interface ConversationOptions {
  /** How long the kernel may say nothing while it owes an answer. */
  readonly timeoutMs: number;
  /** How long the answers to what was asked together may be. */
  readonly limitBytes: number;
}

/** How what was asked has ended: an answer for each request, and why those that have no end have none. */
export interface Outcome {
  readonly answers: readonly Answer[];
  /** The socket cannot be used any more: what comes late would be taken for other answers. What is not Unusable tells its story by itself. */
  readonly failure?: unknown;
}

/** How many pieces are taken in one turn of the event loop: a dump may have thousands, and the kernel has each ready when it is asked. */
const PIECES_A_TURN = 32;

/** Requests and answers on one socket, some requests at a time. */
export class Conversation {
  readonly #socket: Transport;
  readonly #options: ConversationOptions;
  #sequence = 0;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(socket: Transport, options: ConversationOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Sends requests in one piece, and takes in what the kernel has to say to each. */
  async hold(requests: readonly Request<unknown>[]): Promise<Outcome> {
    const { port } = this.#socket;
    const expected = new Answers({ port, limitBytes: this.#options.limitBytes });
    const sent = requests.map((request) => {
      this.#sequence = (this.#sequence % 0xffff_ffff) + 1;
      const flags = request.flags | NLM_F.REQUEST | (isDump(request) ? 0 : NLM_F.ACK);
      const message = encodeMessage({ type: request.type, flags, sequence: this.#sequence, port, payload: request.payload });
      return { message, answer: expected.expect(this.#sequence) };
    });
    const answers = sent.map(({ answer }) => answer);
    try {
      this.#socket.send(Buffer.concat(sent.map(({ message }) => message)));
      await this.#receive(expected);
      return { answers };
    } catch (error) {
      return { answers, failure: unusable(error) };
    }
  }

  /** What is still under way ends without an answer. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#wake?.();
  }

  async #receive(answers: Answers): Promise<void> {
    let heard = performance.now();
    for (let pieces = 1; !answers.complete; ) {
      if (this.#closed) throw new Unusable("was left before it answered");
      const piece = this.#socket.receive();
      if (piece === undefined) {
        await this.#arrival(heard + this.#options.timeoutMs - performance.now());
        continue;
      }
      if (answers.take(piece)) heard = performance.now();
      if (pieces++ % PIECES_A_TURN === 0) await new Promise(setImmediate);
    }
  }

  /** The kernel answers before `send` returns, as a rule; this is for what it does not. */
  async #arrival(leftMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), Math.max(0, leftMs));
    this.#wake = () => resolve(true);
    try {
      using _watch = await this.#socket.watch(this.#wake);
      if (!(await promise)) throw new Unusable(`did not answer within ${this.#options.timeoutMs / 1000} s`);
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }
}

function unusable(error: unknown): unknown {
  if (error instanceof ProtocolViolation) return new Unusable(`sent what is not netlink: ${error.message}`, { cause: error });
  if (error instanceof OpError && codeOf(error.cause) === "ENOBUFS") return new Unusable("lost some of its answer", { cause: error });
  return error;
}
