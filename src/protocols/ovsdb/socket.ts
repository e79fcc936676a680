import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { codeOf, messageOf, OpError } from "../../core/errors.ts";
import { nameOf, type Remote } from "./address.ts";
import { Framer } from "./framer.ts";
import { ProtocolViolation } from "./json.ts";

/** PEM texts. Open vSwitch trusts whoever has a certificate of its CA and looks at no names, and so do we. */
export interface TlsKeys {
  /** The CA that the server's certificate must be of; no other is trusted. */
  readonly ca: string;
  /** For a server that asks who we are. */
  readonly own?: { readonly certificate: string; readonly key: string };
}

/** What becomes of an open socket. */
export interface SocketHandlers {
  /** The text of one whole message. What it throws as a ProtocolViolation ends the connection. */
  message(text: string): void;
  /** Once, unless `close` was called first. */
  ended(why: Error): void;
}

/** A connection that carries messages, its TLS verified where there is any. */
export interface MessageSocket {
  send(message: string): void;
  close(): void;
  /** Grows while the peer is alive. */
  readonly receivedBytes: number;
}

export interface SocketOptions extends SocketHandlers {
  readonly remote: Remote;
  readonly tls?: TlsKeys | undefined;
  readonly timeoutMs: number;
}

/** Rejects with an Error that says what the peer did, to follow its name, or with an OpError of kind invalid for TLS that cannot be verified. */
export async function openSocket(options: SocketOptions): Promise<MessageSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<MessageSocket>();
  const connection = new Connection(connected(options, () => connection.ready()), { handlers: options, resolve, reject });
  const timer = setTimeout(() => connection.end(new Error(`did not answer within ${options.timeoutMs / 1000} s`)), options.timeoutMs);
  return await promise.finally(() => clearTimeout(timer));
}

function connected({ remote, tls }: SocketOptions, ready: () => void): Socket {
  if (remote.kind === "unix") return connectPlain({ path: remote.path }, ready);
  const { host, port } = remote;
  if (remote.kind === "tcp") return connectPlain({ host, port }, ready);
  if (tls === undefined) {
    throw new OpError("invalid", `${nameOf(remote)} cannot be told from an impostor without a CA certificate`, {
      hint: "Give the CA that signed the server's certificate: ovs-pki calls it cacert.pem",
    });
  }
  const { ca, own } = tls;
  const identity = own === undefined ? {} : { cert: own.certificate, key: own.key };
  try {
    return connectTls({ host, port, ca, ...identity, rejectUnauthorized: true, checkServerIdentity: () => undefined }, ready);
  } catch (error) {
    throw new OpError("invalid", `The certificates for ${nameOf(remote)} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

interface Opening {
  readonly handlers: SocketHandlers;
  resolve(socket: MessageSocket): void;
  reject(error: Error): void;
}

class Connection implements MessageSocket {
  readonly #opening: Opening;
  readonly #socket: Socket;
  readonly #framer = new Framer();
  #state: "connecting" | "open" | "ended" = "connecting";

  constructor(socket: Socket, opening: Opening) {
    this.#opening = opening;
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.end(new Error(spoken(error), { cause: error })));
    socket.on("close", () => this.end(new Error("closed the connection")));
  }

  get receivedBytes(): number {
    return this.#socket.bytesRead;
  }

  ready(): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.#opening.resolve(this);
  }

  send(message: string): void {
    if (this.#state !== "ended") this.#socket.write(message);
  }

  close(): void {
    this.#state = "ended";
    this.#socket.destroy();
  }

  end(why: Error): void {
    const state = this.#state;
    if (state === "ended") return;
    this.close();
    if (state === "connecting") this.#opening.reject(why);
    else this.#opening.handlers.ended(why);
  }

  #take(chunk: Uint8Array): void {
    if (this.#state === "ended") return;
    try {
      this.#framer.push(chunk);
      for (let message = this.#framer.next(); message !== undefined; message = this.#framer.next()) {
        this.#opening.handlers.message(message);
        // A handler may have closed the connection.
        if ((this.#state as string) === "ended") return;
      }
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.end(new Error(`sent what is not OVSDB: ${error.message}`, { cause: error }));
    }
  }
}

function spoken(error: Error): string {
  const code = codeOf(error) ?? "";
  if (/^ERR_SSL_.*ALERT.*CERT/.test(code)) return "wants a certificate of ours that its CA has signed";
  if (/CERT|UNABLE_TO_/.test(code)) return `is not who it should be: ${messageOf(error)}`;
  return KNOWN[code] ?? `cannot be spoken to: ${messageOf(error)}`;
}

const KNOWN: Readonly<Record<string, string>> = {
  ENOENT: "is not there",
  ECONNREFUSED: "has nobody listening",
  EACCES: "does not let this user in",
  ECONNRESET: "closed the connection",
  EPIPE: "closed the connection",
};
