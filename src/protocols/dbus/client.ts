import { messageOf, OpError } from "../../core/errors.ts";
import { socketName } from "./address.ts";
import { decodeBody, encodeBody } from "./body.ts";
import { describeCall, type Bus, type Call, type Signal, type SignalMatch } from "./bus.ts";
import { dbusError, dbusErrorName } from "./errors.ts";
import { openLink, type Link } from "./link.ts";
import { ERROR, type Message } from "./message.ts";
import { isBusName, isInterfaceName, isMemberName, isObjectPath } from "./names.ts";
import { BUS_NAME, Subscription } from "./subscription.ts";

/** A way to a peer: the sockets to try, in order. */
export interface Peer {
  readonly kind: Bus["peer"];
  readonly sockets: readonly string[];
}

export interface ClientOptions {
  /** Tried in order when the first call is made. Throws kind invalid for an address that cannot be used. */
  peers(): readonly Peer[];
  /** How long a peer may take to answer a call. */
  readonly timeoutMs?: number;
  /** How long it may take to let us in. */
  readonly connectTimeoutMs?: number;
}

const TIMEOUT_MS = 25_000;
const CONNECT_TIMEOUT_MS = 5_000;

const PEER_NAMES = { "system-bus": "the system bus", "private-socket": "PID 1's private socket" } as const;

/** The one implementation of Bus: connects when it is first needed, to the first peer that answers. Once ended it stays so. */
export class Client implements Bus {
  readonly closed: Promise<OpError | undefined>;
  readonly #options: ClientOptions;
  readonly #resolveClosed: (reason: OpError | undefined) => void;
  readonly #subscriptions = new Set<Subscription>();
  #connecting: Promise<Link> | undefined;
  #link: Link | undefined;
  #ended: OpError | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<OpError | undefined>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  get peer(): Bus["peer"] {
    return this.#link?.peer ?? "system-bus";
  }

  get counts(): Bus["counts"] {
    return this.#link?.counts ?? { reads: 0, writes: 0 };
  }

  async call(call: Call): Promise<readonly unknown[]> {
    checkNames(call);
    const body = encodeBody(call.signature, call.body, call.member);
    const link = await this.#connected();
    const reply = await link.exchange(call, body, call.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS);
    const values = this.#valuesOf(reply, link);
    if (reply.type !== ERROR) return values;
    throw dbusError(reply.errorName ?? "", typeof values[0] === "string" ? values[0] : "", describeCall(call));
  }

  async subscribe(match: SignalMatch, handler: (signal: Signal) => void): Promise<AsyncDisposable> {
    const link = await this.#connected();
    const subscription = new Subscription(match, (signal) => {
      try {
        handler(signal);
      } catch (error) {
        // A bug of the handler's, not of the peer's: it ends the program and not the connection.
        queueMicrotask(() => {
          throw error;
        });
      }
    });
    const rules = link.peer === "system-bus" ? subscription.rules : [];
    this.#subscriptions.add(subscription);
    const dispose = async (): Promise<void> => {
      if (!this.#subscriptions.delete(subscription) || link.ended !== undefined) return;
      // When the connection ends first, its rules end with it.
      await Promise.allSettled(rules.map((rule) => this.#ask("RemoveMatch", rule)));
    };
    try {
      const asked = rules.map((rule) => this.#ask("AddMatch", rule));
      const owner = rules.length > 0 && subscription.watchesOwner ? this.#ownerOf(match.sender) : undefined;
      await Promise.all([...asked, owner]);
      subscription.ownerIs(await owner);
    } catch (error) {
      await dispose();
      throw error;
    }
    return { [Symbol.asyncDispose]: dispose };
  }

  close(): void {
    this.#end(undefined);
  }

  async #connected(): Promise<Link> {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#link !== undefined) return this.#link;
    this.#connecting ??= this.#reach().catch((error: unknown) => {
      this.#end(error instanceof OpError ? error : new OpError("internal", messageOf(error), { cause: error }));
      throw this.#ended;
    });
    return await this.#connecting;
  }

  async #reach(): Promise<Link> {
    const failures: string[] = [];
    for (const { kind, sockets } of this.#options.peers()) {
      for (const path of sockets) {
        try {
          return await this.#open(kind, path);
        } catch (error) {
          if (this.#ended !== undefined) throw this.#ended;
          failures.push(`${PEER_NAMES[kind]}: ${socketName(path)} ${messageOf(error)}`);
        }
      }
    }
    throw unreachable(failures);
  }

  async #open(peer: Bus["peer"], path: string): Promise<Link> {
    const connectTimeoutMs = this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const link = await openLink(path, { peer, connectTimeoutMs, onSignal: (message) => this.#deliver(message) });
    if (this.#ended !== undefined) {
      link.end(this.#ended);
      throw this.#ended;
    }
    void link.closed.then((why) => this.#end(lost(peer, why)));
    this.#link = link;
    return link;
  }

  #deliver(message: Message): void {
    let values: readonly unknown[] | undefined;
    const body = () => (values ??= decodeBody(message.signature, message.body, message.littleEndian));
    for (const subscription of [...this.#subscriptions]) {
      if (this.#subscriptions.has(subscription)) subscription.offer(message, body, this.peer === "private-socket");
    }
  }

  #valuesOf({ signature, body, littleEndian }: Message, link: Link): readonly unknown[] {
    try {
      return decodeBody(signature, body, littleEndian);
    } catch (error) {
      const why = new Error(`sent what is not D-Bus: ${messageOf(error)}`, { cause: error });
      link.end(why);
      throw lost(link.peer, why);
    }
  }

  async #ask(member: string, name: string): Promise<readonly unknown[]> {
    return this.call({ destination: BUS_NAME, path: "/org/freedesktop/DBus", interface: BUS_NAME, member, signature: "s", body: [name] });
  }

  async #ownerOf(name: string): Promise<string | undefined> {
    try {
      return String((await this.#ask("GetNameOwner", name))[0]);
    } catch (error) {
      if (dbusErrorName(error) === "org.freedesktop.DBus.Error.NameHasNoOwner") return undefined;
      throw error;
    }
  }

  #end(reason: OpError | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason ?? new OpError("unavailable", "The connection was closed");
    this.#link?.end(new Error("cannot answer, the connection was closed"));
    this.#resolveClosed(reason);
  }
}

function lost(peer: Bus["peer"], why: Error): OpError {
  const name = PEER_NAMES[peer];
  return new OpError("unavailable", `${name[0]?.toUpperCase()}${name.slice(1)} ${why.message}`, { cause: why, retryable: true });
}

function unreachable(failures: readonly string[]): OpError {
  return new OpError("unavailable", `No way to the system's services: ${failures.join("; ")}`, {
    hint: "The system bus is the service dbus: start it with 'systemctl start dbus.socket dbus.service'. PID 1's private socket is root's",
    retryable: true,
  });
}

/** Throws kind invalid for a name that D-Bus does not allow: the bus would end the connection over it. */
function checkNames({ destination, path, interface: interfaceName, member }: Call): void {
  const findings = [
    isBusName(destination) ? [] : [`${JSON.stringify(destination)} is not a bus name`],
    isObjectPath(path) ? [] : [`${JSON.stringify(path)} is not an object path`],
    isInterfaceName(interfaceName) ? [] : [`${JSON.stringify(interfaceName)} is not an interface name`],
    isMemberName(member) ? [] : [`${JSON.stringify(member)} is not a member name`],
  ].flat();
  if (findings.length > 0) throw new OpError("invalid", findings.join("; "));
}
