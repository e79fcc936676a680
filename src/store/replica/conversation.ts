import type { Channel } from "../../core/ports.ts";
import { encodeMessage, MessageReader, noMessage, type Message } from "./message.ts";

/** Messages over a channel. */
export class Conversation {
  readonly #channel: Channel;
  readonly #reader = new MessageReader();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  async send(message: Message): Promise<void> {
    await this.#channel.write(encodeMessage(message));
  }

  /** Undefined where the other end has ended. Throws kind invalid for what is no message, or a part of one. */
  async receive(): Promise<Message | undefined> {
    for (;;) {
      const message = this.#reader.next();
      if (message !== undefined) return message;
      const bytes = await this.#channel.read();
      if (bytes !== undefined) this.#reader.push(bytes);
      else if (this.#reader.isEmpty) return undefined;
      else throw noMessage();
    }
  }
}
