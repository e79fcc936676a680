import { OpError } from "../../core/errors.ts";
import { NetlinkSocket } from "../../sys/native/netlink-socket.ts";
import { Unusable, type Answer } from "./answers.ts";
import { ProtocolViolation } from "./attribute.ts";
import { Conversation } from "./conversation.ts";
import { netlinkError, unanswered } from "./errors.ts";
import type { EventGroup, Netlink, NetlinkEvent, Request } from "./netlink.ts";
import { isDump, isRead } from "./reads.ts";
import { Subscription } from "./subscription.ts";
import type { Transport } from "./transport.ts";

export interface NetlinkOptions {
  /** Opens a socket to the kernel: for requests with the first of them, and for each subscription. */
  open?(): Transport;
  /** How long the kernel may say nothing while it owes an answer. */
  readonly timeoutMs?: number;
  /** How long an answer may be. */
  readonly answerLimitBytes?: number;
}

const NETLINK_ROUTE = 0;
const TIMEOUT_MS = 5_000;
/** More than the routes of the whole Internet take. */
const ANSWER_LIMIT_BYTES = 256 * 1024 * 1024;
/** A socket of the usual size holds about 200 acknowledgements, and the kernel drops what does not fit. */
const TOGETHER_LIMIT = 64;
/** As many acknowledgements as the description of a link takes the room of. */
const READ_WEIGHT = 8;
const TOGETHER_LIMIT_BYTES = 64 * 1024;
/** A dump is interrupted when what it goes through changes under it. */
const DUMP_ATTEMPTS = 10;

/** rtnetlink with strict checking: the kernel refuses what it does not know instead of ignoring it. */
export function openNetlink(options: NetlinkOptions = {}): Netlink {
  return new Client(options);
}

function openSocket(): Transport {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    for (const name of ["EXT_ACK", "CAP_ACK", "GET_STRICT_CHK"] as const) socket.switch(name, true);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

interface Exchange {
  readonly request: Request<unknown>;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** The one implementation of Netlink. Requests share a socket, and take turns where the kernel wants it; each subscription has its own. */
class Client implements Netlink {
  readonly counts = { reads: 0, writes: 0 };
  readonly #options: Required<NetlinkOptions>;
  readonly #waiting: Exchange[] = [];
  readonly #subscriptions = new Set<Disposable>();
  #conversation: Conversation | undefined;
  #working = false;
  #closed = false;

  constructor({ open = openSocket, timeoutMs = TIMEOUT_MS, answerLimitBytes = ANSWER_LIMIT_BYTES }: NetlinkOptions) {
    this.#options = { open, timeoutMs, answerLimitBytes };
  }

  send<T>(request: Request<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ request, resolve, reject });
    if (!this.#working) void this.#work();
    return promise as Promise<T>;
  }

  async subscribe(groups: readonly EventGroup[], handler: (event: NetlinkEvent) => void): Promise<Disposable> {
    if (this.#closed) throw closed("subscribe to events");
    const subscription = new Subscription(this.#options.open(), handler);
    this.#subscriptions.add(subscription);
    const end = { [Symbol.dispose]: () => (this.#subscriptions.delete(subscription), subscription[Symbol.dispose]()) };
    try {
      await subscription.begin(groups);
      return end;
    } catch (error) {
      end[Symbol.dispose]();
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const subscription of [...this.#subscriptions]) subscription[Symbol.dispose]();
    this.#hangUp();
  }

  /** Each time in a turn of its own: requests made until then travel together, and the kernel, which answers at once, leaves time for others. */
  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) {
      await new Promise(setImmediate);
      await this.#ask(this.#together());
    }
    this.#working = false;
  }

  /** What is sent next: a dump by itself, since a socket carries one at a time, or other requests up to the next dump. */
  #together(): Exchange[] {
    let [weight, bytes] = [0, 0];
    const end = this.#waiting.findIndex(({ request }, index) => {
      weight += isRead(request) ? READ_WEIGHT : 1;
      bytes += request.payload.length;
      return index > 0 && (isDump(request) || weight > TOGETHER_LIMIT || bytes > TOGETHER_LIMIT_BYTES);
    });
    const first = this.#waiting[0];
    return this.#waiting.splice(0, first !== undefined && isDump(first.request) ? 1 : end < 0 ? this.#waiting.length : end);
  }

  async #ask(exchanges: readonly Exchange[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#closed) return exchanges.forEach(({ request, reject }) => reject(closed(request.operation)));
      for (const { request } of exchanges) this.counts[isRead(request) ? "reads" : "writes"] += 1;
      try {
        this.#conversation ??= new Conversation(this.#options.open(), { timeoutMs: this.#options.timeoutMs, limitBytes: this.#options.answerLimitBytes });
      } catch (error) {
        return exchanges.forEach(({ reject }) => reject(error));
      }
      const { answers, failure } = await this.#conversation.hold(exchanges.map(({ request }) => request));
      if (failure !== undefined) this.#hangUp();
      if (answers.some(({ interrupted, acknowledgement }) => interrupted && acknowledgement !== undefined) && attempt < DUMP_ATTEMPTS) continue;
      return exchanges.forEach((exchange, index) => settle(exchange, answers[index], failure));
    }
  }

  #hangUp(): void {
    this.#conversation?.close();
    this.#conversation = undefined;
  }
}

function settle({ request, resolve, reject }: Exchange, answer: Answer | undefined, failure: unknown): void {
  const { acknowledgement, interrupted = false, messages = [] } = answer ?? {};
  if (acknowledgement === undefined) return reject(failure instanceof Unusable ? unanswered(request, failure) : failure);
  if (acknowledgement.errno !== 0) return reject(netlinkError(acknowledgement, request));
  if (interrupted) return reject(unanswered(request, new Unusable(`was interrupted by changes ${DUMP_ATTEMPTS} times`)));
  try {
    resolve(request.answer(messages));
  } catch (error) {
    reject(error instanceof ProtocolViolation ? unanswered(request, new Unusable(`sent what is not netlink: ${error.message}`, { cause: error })) : error);
  }
}

function closed(operation: string): OpError {
  return new OpError("unavailable", `Could not ${operation}: the netlink client was closed`, { operation });
}
