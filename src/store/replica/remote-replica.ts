import { OpError } from "../../core/errors.ts";
import type { Channel, Clock } from "../../core/ports.ts";
import { Conversation } from "./conversation.ts";
import type { Manifest } from "./manifest.ts";
import { noMessage, openMessage, proveMessage, readFailure, readStanding, type Message, type MessageKind } from "./message.ts";
import type { Opening, OpenReplica, Standing } from "./open-replica.ts";
import { manifestMessage, offerMessage, readWanted } from "./snapshot-message.ts";

/** How long an answer may take: that to the last file of a large snapshot, on a slow disk, takes its time. */
const ANSWER_LIMIT_MS = 10 * 60_000;
/** How slow a line may be, in addition. */
const SLOWEST_BYTES_PER_MS = 10;

/** A channel to an op-dbus elsewhere that is told, when it is closed, that there is no more. */
export interface Line extends Channel, AsyncDisposable {
  /** Who is at the other end, as people call it. */
  readonly who: string;
  /** Why the other end ended without a word, once it has. */
  trouble(): Promise<OpError>;
}

/** A replica that is kept by an op-dbus elsewhere. Its refusals come back as they were made there. */
export class RemoteReplica implements OpenReplica {
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #conversation: Conversation;
  #standing: Standing = { size: 0, blocks: 0 };

  private constructor(line: Line, clock: Clock) {
    this.#line = line;
    this.#clock = clock;
    this.#conversation = new Conversation(line);
  }

  /** Throws kind unavailable where nobody answers, or in time, or nobody who understands. */
  static async open(line: Line, { clock, ...opening }: Opening & { readonly clock: Clock }): Promise<RemoteReplica> {
    const replica = new RemoteReplica(line, clock);
    try {
      await replica.#ask(openMessage(opening));
      return replica;
    } catch (error) {
      await line[Symbol.asyncDispose]();
      throw error;
    }
  }

  get standing(): Standing {
    return this.#standing;
  }

  async prove(proof: readonly Uint8Array[]): Promise<void> {
    await this.#ask(proveMessage(proof));
  }

  async take(piece: Buffer): Promise<void> {
    await this.#ask({ kind: "take", content: piece });
  }

  async offer(entries: readonly number[]): Promise<readonly number[]> {
    return await this.#askFor(offerMessage(entries));
  }

  async begin(manifest: Manifest): Promise<readonly number[]> {
    return await this.#askFor(manifestMessage(manifest));
  }

  async fill(contents: Buffer): Promise<void> {
    await this.#ask({ kind: "contents", content: contents });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line[Symbol.asyncDispose]();
  }

  async #ask(message: Message): Promise<void> {
    this.#standing = await this.#answer(message, "standing", readStanding);
  }

  async #askFor(message: Message): Promise<readonly number[]> {
    return await this.#answer(message, "wanted", readWanted);
  }

  async #answer<T>(message: Message, kind: MessageKind, read: (answer: Message) => T): Promise<T> {
    const answer = await this.#inTime(this.#understood(() => this.#exchange(message)), ANSWER_LIMIT_MS + message.content.length / SLOWEST_BYTES_PER_MS);
    if (answer.kind === "failure") throw await this.#understood(() => readFailure(answer, this.#line.who));
    return await this.#understood(() => {
      if (answer.kind !== kind) throw noMessage();
      return read(answer);
    });
  }

  async #exchange(message: Message): Promise<Message> {
    // What the other end says tells more than that it does not listen.
    await this.#conversation.send(message).catch(() => undefined);
    const answer = await this.#conversation.receive();
    if (answer === undefined) throw await this.#line.trouble();
    return answer;
  }

  async #inTime<T>(answer: Promise<T>, limitMs: number): Promise<T> {
    const silence = this.#clock.sleep(limitMs).then(() => {
      throw new OpError("unavailable", `Nothing has come from ${this.#line.who} for ${Math.round(limitMs / 60_000)} minutes`, { retryable: true });
    });
    return await Promise.race([answer, silence]);
  }

  async #understood<T>(read: () => T | Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (cause) {
      if (!(cause instanceof OpError) || cause.kind !== "invalid") throw cause;
      throw new OpError("unavailable", `What answers at ${this.#line.who} is not op-dbus: ${cause.message}`, { cause, hint: "A shell that prints something when it starts is one reason" });
    }
  }
}
