import { decodeAcknowledgement, type Acknowledgement } from "./acknowledgement.ts";
import { messagesIn, NLM_F, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN, type Message } from "./message.ts";

/** What the kernel has said to one request so far. Its acknowledgement is the end of it. */
export interface Answer {
  readonly messages: Message[];
  /** Something changed while the kernel went through it: some of it may be there twice or not at all. */
  interrupted: boolean;
  acknowledgement?: Acknowledgement;
}

export interface AnswersOptions {
  /** The socket's. What is for another is nobody's. */
  readonly port: number;
  /** For all answers together. */
  readonly limitBytes: number;
}

/** Why what comes cannot be made use of, to follow "the kernel". */
export class Unusable extends Error {
  override readonly name = "Unusable";
}

/** Sorts messages by the request that they answer. Pure. */
export class Answers {
  readonly #open = new Map<number, Answer>();
  readonly #port: number;
  #roomBytes: number;

  constructor({ port, limitBytes }: AnswersOptions) {
    this.#port = port;
    this.#roomBytes = limitBytes;
  }

  /** Whether every request has been answered. */
  get complete(): boolean {
    return this.#open.size === 0;
  }

  /** Where the answer to a request of that sequence number will be. */
  expect(sequence: number): Answer {
    const answer: Answer = { messages: [], interrupted: false };
    this.#open.set(sequence, answer);
    return answer;
  }

  /** Takes what was received, and tells whether some of it was an answer. Throws ProtocolViolation, and Unusable for what is too much or was lost. */
  take(piece: Uint8Array): boolean {
    let taken = false;
    for (const message of messagesIn(piece)) {
      if (message.type === NLMSG_OVERRUN) throw new Unusable("lost some of its answer");
      const answer = message.port === this.#port ? this.#open.get(message.sequence) : undefined;
      if (answer === undefined || message.type === NLMSG_NOOP) continue;
      taken = true;
      if ((message.flags & NLM_F.DUMP_INTR) !== 0) answer.interrupted = true;
      if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
        answer.acknowledgement = decodeAcknowledgement(message);
        this.#open.delete(message.sequence);
        continue;
      }
      this.#roomBytes -= message.payload.length;
      if (this.#roomBytes < 0) throw new Unusable("has more to say than there is room for");
      answer.messages.push(message);
    }
    return taken;
  }
}
