import { messageOf, OpError } from "../../core/errors.ts";
import type { Channel } from "../../core/ports.ts";
import { Conversation } from "./conversation.ts";
import { failureMessage, noMessage, readOpening, readProof, standingMessage, type Message } from "./message.ts";
import type { Opening, OpenReplica } from "./open-replica.ts";
import { readManifest, readOffer, wantedMessage } from "./snapshot-message.ts";

/** The replica's side of a conversation, until the other end has no more to say. What goes wrong is told there, and thrown. False where nobody spoke. */
export async function serveReplica(channel: Channel, open: (opening: Opening) => Promise<OpenReplica>): Promise<boolean> {
  const conversation = new Conversation(channel);
  try {
    const first = await conversation.receive();
    if (first === undefined) return false;
    if (first.kind !== "open") throw noMessage();
    await using replica = await open(readOpening(first));
    await conversation.send(standingMessage(replica.standing));
    for (let message = await conversation.receive(); message !== undefined; message = await conversation.receive()) {
      await conversation.send(await answer(message, replica));
    }
    return true;
  } catch (error) {
    await conversation.send(failureMessage(told(error))).catch(() => undefined);
    throw error;
  }
}

async function answer(message: Message, replica: OpenReplica): Promise<Message> {
  if (message.kind === "offer") return wantedMessage(await replica.offer(readOffer(message)));
  if (message.kind === "snapshot") return wantedMessage(await replica.begin(readManifest(message)));
  if (message.kind === "prove") await replica.prove(readProof(message));
  else if (message.kind === "take") await replica.take(message.content);
  else if (message.kind === "contents") await replica.fill(message.content);
  else throw noMessage();
  return standingMessage(replica.standing);
}

function told(error: unknown): OpError {
  return error instanceof OpError ? error : new OpError("internal", messageOf(error));
}
