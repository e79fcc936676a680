import { codeOf, messageOf } from "../../core/errors.ts";
import { Framer } from "../../core/framer.ts";
import { messageLength, ProtocolViolation } from "./message.ts";

/** What becomes of an open socket. */
export interface SocketHandlers {
  /** One whole message. What it throws ends the connection. */
  message(bytes: Uint8Array): void;
  /** Once, unless `close` was called first. */
  ended(why: Error): void;
}

/** An authenticated connection that carries messages. */
export interface MessageSocket {
  /** Messages sent in one turn of the program leave in one write. */
  send(message: Uint8Array): void;
  close(): void;
}

/** The answer to authentication is one short line. */
const LINE_LIMIT_BYTES = 1024;

/** Connects to a local socket and says who we are: the kernel vouches for the uid (D-Bus specification, "EXTERNAL"). */
export function openSocket(path: string, timeoutMs: number, handlers: SocketHandlers): Promise<MessageSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<MessageSocket>();
  const connection = new Connection(handlers, resolve, reject);
  const timer = setTimeout(() => connection.end(new Error(`did not answer within ${timeoutMs / 1000} s`)), timeoutMs);
  Bun.connect<undefined>({
    unix: path,
    socket: {
      open: (socket) => connection.opened(socket),
      data: (_, chunk) => connection.take(chunk),
      drain: () => connection.flush(),
      close: () => connection.end(new Error("closed the connection")),
      error: (_, error) => connection.end(error),
    },
  }).catch((error: unknown) => connection.end(new Error(spoken(error), { cause: error })));
  return promise.finally(() => clearTimeout(timer));
}

class Connection implements MessageSocket {
  readonly #handlers: SocketHandlers;
  readonly #ready: (socket: MessageSocket) => void;
  readonly #failed: (error: Error) => void;
  readonly #framer = new Framer(messageLength);
  #state: "authenticating" | "open" | "ended" = "authenticating";
  #line = Buffer.alloc(0);
  #socket: Bun.Socket | undefined;
  #outgoing: Uint8Array[] = [];

  constructor(handlers: SocketHandlers, ready: (socket: MessageSocket) => void, failed: (error: Error) => void) {
    this.#handlers = handlers;
    this.#ready = ready;
    this.#failed = failed;
  }

  opened(socket: Bun.Socket): void {
    this.#socket = socket;
    if (this.#state === "ended") return void socket.terminate();
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString("hex");
    // BEGIN does not wait for the OK: a peer that says anything else is left anyway.
    this.send(Buffer.from(`\0AUTH EXTERNAL ${uid}\r\nBEGIN\r\n`));
  }

  send(message: Uint8Array): void {
    if (this.#outgoing.push(message) === 1) queueMicrotask(() => this.flush());
  }

  close(): void {
    this.#state = "ended";
    this.#socket?.terminate();
  }

  end(why: Error): void {
    const state = this.#state;
    if (state === "ended") return;
    this.close();
    if (state === "authenticating") this.#failed(why);
    else this.#handlers.ended(why);
  }

  /** Writes what the socket takes; the rest goes when it drains. */
  flush(): void {
    if (this.#state === "ended" || this.#outgoing.length === 0) return;
    const [first] = this.#outgoing;
    const bytes = this.#outgoing.length === 1 && first !== undefined ? first : Buffer.concat(this.#outgoing);
    const written = this.#socket?.write(bytes) ?? 0;
    if (written < 0) return this.end(new Error("closed the connection"));
    this.#outgoing = written < bytes.length ? [bytes.subarray(written)] : [];
  }

  take(chunk: Uint8Array): void {
    try {
      if (this.#state === "authenticating") this.#authenticate(chunk);
      else this.#receive(chunk);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.end(new Error(`sent what is not D-Bus: ${error.message}`, { cause: error }));
    }
  }

  #authenticate(chunk: Uint8Array): void {
    this.#line = Buffer.concat([this.#line, chunk]);
    const end = this.#line.indexOf("\r\n");
    if (end < 0 && this.#line.length <= LINE_LIMIT_BYTES) return;
    const line = this.#line.toString("latin1", 0, Math.min(end < 0 ? 80 : end, 80));
    if (line.startsWith("REJECTED")) throw new ProtocolViolation(`it does not take uid ${process.getuid?.() ?? 0} for who it is`);
    if (end < 0 || !/^OK [0-9a-f]{32}$/.test(line)) throw new ProtocolViolation(`${JSON.stringify(line)} to authentication`);
    this.#state = "open";
    this.#ready(this);
    this.#receive(this.#line.subarray(end + 2));
  }

  #receive(chunk: Uint8Array): void {
    if (this.#state === "ended") return;
    this.#framer.push(chunk);
    for (let message = this.#framer.next(); message !== undefined; message = this.#framer.next()) {
      this.#handlers.message(message);
      // A handler may have closed the connection.
      if ((this.#state as string) === "ended") return;
    }
  }
}

function spoken(error: unknown): string {
  const known: Record<string, string> = {
    ENOENT: "is not there",
    ECONNREFUSED: "has nobody listening",
    EACCES: "does not let this user in",
    ECONNRESET: "closed the connection",
  };
  return known[codeOf(error) ?? ""] ?? `cannot be connected to: ${messageOf(error)}`;
}
