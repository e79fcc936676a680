import { codeOf, messageOf } from "../../core/errors.ts";
import { Framer } from "../../core/framer.ts";
import { decodeHello, encodeHello, versionName } from "./hello.ts";
import { decodeMessage, encodeMessage, messageLength, OF13, OF14, TYPES, type Message, type Version } from "./message.ts";
import { isRead } from "./reads.ts";
import { ProtocolViolation } from "./wire.ts";

/** The versions spoken, the better first. */
const VERSIONS: readonly Version[] = [OF14, OF13];

/** The bridge speaks only other versions. */
export class NoCommonVersion extends Error {
  override readonly name = "NoCommonVersion";
  readonly offered: readonly number[];

  constructor(offered: readonly number[]) {
    super(`speaks only ${offered.map(versionName).join(", ") || "versions of OpenFlow that it does not name"}`);
    this.offered = offered;
  }
}

/** Connects and agrees on a version. Rejects with an Error that says what the bridge did, to follow its name. */
export function openLink(path: string, timeoutMs: number): Promise<Link> {
  const { promise, resolve, reject } = Promise.withResolvers<Link>();
  const link = new Link(resolve, reject);
  const timer = setTimeout(() => link.end(new Error(`did not answer within ${timeoutMs / 1000} s`)), timeoutMs);
  Bun.connect<undefined>({
    unix: path,
    socket: {
      open: (socket) => link.opened(socket),
      data: (_, chunk) => link.take(chunk),
      drain: () => link.flush(),
      close: () => link.end(new Error("closed the connection")),
      error: (_, error) => link.end(error),
    },
  }).catch((error: unknown) => link.end(new Error(spoken(error), { cause: error })));
  return promise.finally(() => clearTimeout(timer));
}

/** Who looks at the answers. */
interface Asking {
  /** The lowest number that an answer may have. */
  readonly first: number;
  /** For each answer. */
  readonly timeoutMs: number;
  /** Sees each message that answers one of ours; true when it has seen all. What it throws ends the exchange. */
  take(message: Message): boolean;
}

interface Exchange extends Pick<Asking, "first" | "take"> {
  readonly timer: Timer;
  resolve(): void;
  reject(error: unknown): void;
}

/** One connection to one bridge. One exchange after another: who has begun one waits for its end. */
export class Link {
  readonly counts = { reads: 0, writes: 0 };
  readonly #ready: (link: Link) => void;
  readonly #failed: (error: Error) => void;
  readonly #framer = new Framer(messageLength);
  #version: Version | undefined;
  #socket: Bun.Socket | undefined;
  #outgoing: Uint8Array[] = [];
  #exchange: Exchange | undefined;
  #ended: Error | undefined;
  #xid = 0;

  constructor(ready: (link: Link) => void, failed: (error: Error) => void) {
    this.#ready = ready;
    this.#failed = failed;
  }

  /** The version agreed on. */
  get version(): Version {
    if (this.#version === undefined) throw new TypeError("The bridge has not said Hello");
    return this.#version;
  }

  /** Why it ended, once it has. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /** Numbers for `count` messages; the first of them. */
  xids(count: number): number {
    const first = this.#xid + 1 + count > 0xffff_ffff ? 1 : this.#xid + 1;
    this.#xid = first + count - 1;
    return first;
  }

  /** Sends messages in one write and hands on what answers them, or any message of ours since `first`. Rejects with an Error when the link ends. */
  exchange(messages: readonly Message[], { first, timeoutMs, take }: Asking): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.end(new Error(`did not answer within ${timeoutMs / 1000} s`)), timeoutMs);
    this.#exchange = { first, take, timer, resolve, reject };
    this.#send(messages);
    return promise;
  }

  opened(socket: Bun.Socket): void {
    this.#socket = socket;
    if (this.#ended !== undefined) return void socket.terminate();
    this.#send([{ version: Math.max(...VERSIONS), type: TYPES.HELLO, xid: this.xids(1), body: encodeHello(VERSIONS) }]);
  }

  /** Ends it and rejects what still waits; the first reason counts. */
  end(why: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#socket?.terminate();
    if (this.#version === undefined) this.#failed(why);
    this.#finish((exchange) => exchange.reject(why));
  }

  /** Writes what the socket takes; the rest goes when it drains. */
  flush(): void {
    if (this.#ended !== undefined || this.#outgoing.length === 0) return;
    const bytes = Buffer.concat(this.#outgoing);
    const written = this.#socket?.write(bytes) ?? 0;
    if (written < 0) return this.end(new Error("closed the connection"));
    this.#outgoing = written < bytes.length ? [bytes.subarray(written)] : [];
  }

  take(chunk: Uint8Array): void {
    try {
      this.#framer.push(chunk);
      for (let bytes = this.#framer.next(); bytes !== undefined && this.#ended === undefined; bytes = this.#framer.next()) this.#receive(decodeMessage(bytes));
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.end(new Error(`sent what is not OpenFlow: ${error.message}`, { cause: error }));
    }
  }

  #receive(message: Message): void {
    if (this.#version === undefined) return this.#greet(message);
    if (message.version !== this.#version) throw new ProtocolViolation(`a message of ${versionName(message.version)} after ${versionName(this.#version)} was agreed on`);
    if (message.type === TYPES.ECHO_REQUEST) return this.#send([{ ...message, type: TYPES.ECHO_REPLY }]);
    const exchange = this.#exchange;
    // What the bridge tells of its own accord is not asked for, and not heard.
    if (exchange === undefined || message.xid < exchange.first || message.xid > this.#xid || !ANSWERS.has(message.type)) return;
    exchange.timer.refresh();
    try {
      if (exchange.take(message)) this.#finish(() => exchange.resolve());
    } catch (error) {
      if (error instanceof ProtocolViolation) throw error;
      this.#finish(() => exchange.reject(error));
    }
  }

  /** The highest version that both have said they speak: OpenFlow 1.4, 6.3.1 "Connection Setup". */
  #greet({ version, type, body }: Message): void {
    if (type === TYPES.ERROR) throw new ProtocolViolation("an error before its Hello");
    if (type !== TYPES.HELLO) throw new ProtocolViolation("something else before its Hello");
    const offered = decodeHello(version, body);
    this.#version = VERSIONS.find((each) => offered.includes(each));
    if (this.#version === undefined) return this.end(new NoCommonVersion(offered));
    this.#ready(this);
  }

  #finish(settle: (exchange: Exchange) => void): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    clearTimeout(exchange.timer);
    settle(exchange);
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) this.counts[isRead(message) ? "reads" : "writes"] += 1;
    this.#outgoing.push(...messages.map(encodeMessage));
    this.flush();
  }
}

/** What can answer a message of ours. A port's or a flow's fate has an xid too, and it may be one of ours. */
const ANSWERS: ReadonlySet<number> = new Set([TYPES.ERROR, TYPES.EXPERIMENTER, TYPES.FEATURES_REPLY, TYPES.MULTIPART_REPLY, TYPES.BARRIER_REPLY, TYPES.BUNDLE_CONTROL]);

function spoken(error: unknown): string {
  const known: Record<string, string> = {
    ENOENT: "is not there",
    ECONNREFUSED: "has nobody listening",
    EACCES: "does not let this user in",
    ECONNRESET: "closed the connection",
  };
  return known[codeOf(error) ?? ""] ?? `cannot be connected to: ${messageOf(error)}`;
}
