import type { Wire } from "./json.ts";
import { decodeMessage, encodeMessage, type Message, type Request } from "./message.ts";
import { isRead } from "./reads.ts";
import { openSocket, type MessageSocket, type SocketOptions } from "./socket.ts";

export interface LinkOptions extends Pick<SocketOptions, "remote" | "tls"> {
  readonly connectTimeoutMs: number;
  /** After this long without a byte the server is asked for an echo, and after as long again given up. */
  readonly idleMs: number;
  /** The params of an update, and how long its message was. What it throws as a ProtocolViolation ends the link. */
  onUpdate(params: readonly Wire[], length: number): void;
}

/** An answer, be it a result or an error. */
export type Answer = Extract<Message, { readonly kind: "reply" | "error" }>;

interface Exchange {
  readonly timer: Timer;
  resolve(answer: Answer): void;
  reject(why: Error): void;
}

/** Rejects with an Error that says what the server did, to follow its name. */
export async function openLink(options: LinkOptions): Promise<Link> {
  const link = new Link(options.onUpdate);
  const { remote, tls, connectTimeoutMs: timeoutMs } = options;
  link.begin(await openSocket({ remote, tls, timeoutMs, message: (text) => link.receive(text), ended: (why) => link.end(why) }), options.idleMs);
  return link;
}

/** One connection to one server, with the requests in flight. Each is settled once: by its answer, by time, or by the link's end. */
export class Link {
  readonly counts = { reads: 0, writes: 0 };
  readonly closed: Promise<Error>;
  readonly #onUpdate: LinkOptions["onUpdate"];
  readonly #pending = new Map<Wire, Exchange>();
  readonly #resolveClosed: (why: Error) => void;
  #socket: MessageSocket | undefined;
  #probe: Timer | undefined;
  #ended: Error | undefined;
  #id = 0;

  constructor(onUpdate: LinkOptions["onUpdate"]) {
    this.#onUpdate = onUpdate;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  /** Why it ended, once it has. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /** The connection is there, unless it has ended since. */
  begin(socket: MessageSocket, idleMs: number): void {
    if (this.#ended !== undefined) return;
    this.#socket = socket;
    let [knownBytes, asked] = [socket.receivedBytes, false];
    const isSilent = () => socket.receivedBytes === knownBytes;
    this.#probe = setInterval(() => {
      // After a pause of this process the answer may be there and not be read yet.
      if (isSilent() && asked) return void setImmediate(() => isSilent() && this.end(new Error(`did not answer an echo within ${idleMs / 1000} s`)));
      asked = isSilent();
      if (asked) this.#send({ method: "echo", params: [] }, "echo");
      knownBytes = socket.receivedBytes;
    }, idleMs);
  }

  /** Sends a request and gives its answer. Rejects with an Error that says why there is none; a transaction that is late is canceled. */
  exchange(request: Request, timeoutMs: number): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const id = (this.#id += 1);
    const timer = setTimeout(() => {
      // One that still waits for rows must not happen later (RFC 7047 4.1.4).
      if (request.method === "transact") this.#send({ method: "cancel", params: [id] }, null);
      this.#take(id)?.reject(new Error(`did not answer within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    this.#pending.set(id, { timer, resolve, reject });
    this.#send(request, id);
    return promise;
  }

  receive(text: string): void {
    const message = decodeMessage(text);
    switch (message.kind) {
      case "reply":
      case "error":
        // An answer to a request that was given up, or was never made, is nobody's.
        return this.#take(message.id)?.resolve(message);
      case "request":
        if (message.method === "echo") this.#socket?.send(encodeMessage({ kind: "reply", id: message.id, result: message.params }));
        return;
      case "notification":
        if (message.method === "update") this.#onUpdate(message.params, text.length);
    }
  }

  /** Ends it and rejects what still waits; the first reason counts. */
  end(why: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    clearInterval(this.#probe);
    this.#socket?.close();
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(why);
    this.#resolveClosed(why);
  }

  #send(request: Request, id: Wire): void {
    this.counts[isRead(request) ? "reads" : "writes"] += 1;
    this.#socket?.send(encodeMessage(id === null ? { kind: "notification", ...request } : { kind: "request", id, ...request }));
  }

  /** Ends the wait for an answer; whoever takes it settles it. */
  #take(id: Wire): Exchange | undefined {
    const exchange = this.#pending.get(id);
    if (exchange === undefined) return undefined;
    this.#pending.delete(id);
    clearTimeout(exchange.timer);
    return exchange;
  }
}
