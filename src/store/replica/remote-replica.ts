import { OpError } from "../../core/errors.ts";
import type { Channel } from "../../core/ports.ts";
import { Conversation } from "./conversation.ts";
import { openMessage, proveMessage, readFailure, readStanding, type Message } from "./message.ts";
import type { Opening, OpenReplica, Standing } from "./replication.ts";

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
  readonly #conversation: Conversation;
  #standing: Standing = { size: 0, blocks: 0 };

  private constructor(line: Line) {
    this.#line = line;
    this.#conversation = new Conversation(line);
  }

  static async open(line: Line, opening: Opening): Promise<RemoteReplica> {
    const replica = new RemoteReplica(line);
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line[Symbol.asyncDispose]();
  }

  async #ask(message: Message): Promise<void> {
    // What the other end says tells more than that it does not listen.
    await this.#conversation.send(message).catch(() => undefined);
    const answer = await this.#understood(() => this.#conversation.receive());
    if (answer === undefined) throw await this.#line.trouble();
    if (answer.kind === "failure") throw await this.#understood(() => readFailure(answer, this.#line.who));
    this.#standing = await this.#understood(() => readStanding(answer));
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
