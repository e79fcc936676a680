import { messageOf, OpError } from "../../core/errors.ts";
import { describeCall, type Bus, type Call } from "./bus.ts";
import { decodeMessage, encodeMessage, ERROR, METHOD_CALL, METHOD_RETURN, NO_AUTO_START, SIGNAL, type Message } from "./message.ts";
import { isRead } from "./reads.ts";
import { openSocket, type MessageSocket } from "./socket.ts";

export interface LinkOptions {
  readonly peer: Bus["peer"];
  /** For connecting, authentication and Hello together. */
  readonly connectTimeoutMs: number;
  /** Whether a peer's signal is for anybody is not the link's to know. What it throws ends the link. */
  onSignal(message: Message): void;
}

/** dbus-daemon's system bus refuses the 129th call in flight (max_replies_per_connection): what is beyond this waits its turn. */
const IN_FLIGHT_LIMIT = 100;
/** They go in large numbers at once: for one at a time everybody on the way would wake up each time. */
const REFILL_AT = 50;

interface Exchange {
  readonly call: Call;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  /** Set once it is on the wire. */
  timer?: Timer;
  resolve(reply: Message): void;
  reject(error: OpError): void;
}

const HELLO: Call = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "Hello" };

/** Connects to one socket, on the bus as far as having said Hello. Rejects with an Error that says what the socket did, to follow its name. */
export async function openLink(path: string, options: LinkOptions): Promise<Link> {
  const started = performance.now();
  const link = new Link(options);
  link.socket = await openSocket(path, options.connectTimeoutMs, {
    message: (bytes) => link.receive(decodeMessage(bytes)),
    ended: (why) => link.end(why),
  });
  if (options.peer === "private-socket") return link;
  try {
    const reply = await link.exchange(HELLO, new Uint8Array(), Math.max(1, options.connectTimeoutMs - (performance.now() - started)));
    if (reply.type !== METHOD_RETURN) throw new Error(`refused Hello: ${reply.errorName}`);
    return link;
  } catch (error) {
    const why = link.ended ?? new Error(error instanceof OpError ? `did not answer within ${options.connectTimeoutMs / 1000} s` : messageOf(error));
    link.end(why);
    throw why;
  }
}

/** One connection to one peer, with the calls in flight. Each call is settled once: by its reply, by time, or by the link's end. */
export class Link {
  readonly peer: Bus["peer"];
  readonly counts = { reads: 0, writes: 0 };
  readonly closed: Promise<Error>;
  socket: MessageSocket | undefined;
  readonly #onSignal: (message: Message) => void;
  readonly #pending = new Map<number, Exchange>();
  readonly #waiting: Exchange[] = [];
  readonly #resolveClosed: (why: Error) => void;
  #ended: Error | undefined;
  #serial = 0;

  constructor({ peer, onSignal }: LinkOptions) {
    this.peer = peer;
    this.#onSignal = onSignal;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  /** Why it ended, once it has. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /** Sends a call and gives its reply, an error reply included. Rejects with kind unavailable where there is none. */
  exchange(call: Call, body: Uint8Array, timeoutMs: number): Promise<Message> {
    if (this.#ended !== undefined) return Promise.reject(unanswered(call, this.#ended));
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    this.#waiting.push({ call, body, timeoutMs, resolve, reject });
    this.#sendWaiting();
    return promise;
  }

  receive(message: Message): void {
    if (message.type === SIGNAL) this.#onSignal(message);
    // A reply to a call that was given up, or was never made, is nobody's. Calls to us are not answered: we offer nothing.
    else if (message.type === METHOD_RETURN || message.type === ERROR) this.#take(message.replySerial)?.resolve(message);
  }

  /** Ends it and rejects what still waits; the first reason counts. */
  end(why: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.socket?.close();
    const waiting = this.#waiting.splice(0);
    for (const serial of [...this.#pending.keys()]) {
      const exchange = this.#take(serial);
      exchange?.reject(unanswered(exchange.call, why));
    }
    for (const { call, reject } of waiting) reject(unanswered(call, why));
    this.#resolveClosed(why);
  }

  #sendWaiting(): void {
    while (this.#pending.size < IN_FLIGHT_LIMIT) {
      const exchange = this.#waiting.shift();
      if (exchange === undefined) return;
      const { call, body, timeoutMs } = exchange;
      do this.#serial = (this.#serial % 0xffff_ffff) + 1;
      while (this.#pending.has(this.#serial));
      const serial = this.#serial;
      exchange.timer = setTimeout(() => this.#take(serial)?.reject(unanswered(call, new Error(`did not answer within ${timeoutMs / 1000} s`))), timeoutMs);
      this.#pending.set(serial, exchange);
      this.counts[isRead(call) ? "reads" : "writes"] += 1;
      this.socket?.send(encodeMessage(this.#message(call, body, serial)));
    }
  }

  /** Ends the wait for a reply; whoever takes it settles it. */
  #take(serial: number | undefined): Exchange | undefined {
    const exchange = serial === undefined ? undefined : this.#pending.get(serial);
    if (serial === undefined || exchange === undefined) return undefined;
    this.#pending.delete(serial);
    clearTimeout(exchange.timer);
    if (this.#pending.size <= REFILL_AT) this.#sendWaiting();
    return exchange;
  }

  #message({ destination, path, interface: interfaceName, member, signature, noAutoStart }: Call, body: Uint8Array, serial: number): Message {
    return {
      ...{ type: METHOD_CALL, flags: noAutoStart === true ? NO_AUTO_START : 0, serial, path, interface: interfaceName, member, body },
      ...(this.peer === "private-socket" ? {} : { destination }),
      ...(signature === undefined || signature === "" ? {} : { signature }),
    };
  }
}

function unanswered(call: Call, why: Error): OpError {
  const message = `${call.destination} ${why.message}: ${describeCall(call)}`;
  return new OpError("unavailable", message, { operation: call.member, cause: why, retryable: true });
}
