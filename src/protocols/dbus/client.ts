import DBusBuffer from "dbus-next/lib/dbus-buffer.js";
import marshall from "dbus-next/lib/marshall.js";
import { parseSignature } from "dbus-next/lib/signature.js";
import { isBusNameValid, isInterfaceNameValid, isMemberNameValid, isObjectPathValid } from "dbus-next/lib/validators.js";
import { messageOf, OpError } from "../../core/errors.ts";
import { socketName } from "./address.ts";
import { describeCall, type Bus, type Call, type Signal, type SignalMatch, type Variant } from "./bus.ts";
import { dbusError, dbusErrorName } from "./errors.ts";
import { openLink, type Link } from "./link.ts";
import { ERROR, ProtocolViolation, type Message } from "./message.ts";
import { isValidType, SIGNATURE_LIMIT, type Type } from "./signature.ts";
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
    NAME_BYTES.test(destination) && isBusNameValid(destination) ? [] : [`${JSON.stringify(destination)} is not a bus name`],
    isObjectPathValid(path) ? [] : [`${JSON.stringify(path)} is not an object path`],
    isInterfaceNameValid(interfaceName) ? [] : [`${JSON.stringify(interfaceName)} is not an interface name`],
    isMemberNameValid(member) ? [] : [`${JSON.stringify(member)} is not a member name`],
  ].flat();
  if (findings.length > 0) throw new OpError("invalid", findings.join("; "));
}

/** What dbus-next lets pass of unique names. */
const NAME_BYTES = /^[A-Za-z0-9_:.-]{1,255}$/;

/** Values as `Bus` has them, as the bytes of a message's body. Throws kind internal where they do not fit the signature. */
export function encodeBody(signature = "", values: readonly unknown[] = [], operation = "encode"): Uint8Array {
  // Two hundred Gets ask for the same property: encoding that once saves 3 ms of a plan's 45.
  const key = values.every((value) => typeof value === "string") ? `${signature}\0${values.join("\0")}` : undefined;
  const known = key === undefined ? undefined : KNOWN_BODIES.get(key);
  if (known !== undefined) return known;
  try {
    const types = typesOf(signature);
    if (types.length !== values.length) throw new TypeError(`${values.length} values`);
    const bytes = marshall(signature, types.map((type, index) => marshallable(type, values[index])), 0);
    if (bytes.length > BODY_LIMIT_BYTES) throw new RangeError(`${bytes.length} bytes`);
    if (key !== undefined && key.length <= KNOWN_BODY_LENGTH) keep(KNOWN_BODIES, key, bytes);
    return bytes;
  } catch (error) {
    throw new OpError("internal", `The arguments of ${operation} do not fit '${signature}': ${messageOf(error)}`, { operation, cause: error });
  }
}

const BODY_LIMIT_BYTES = 32 * 1024 * 1024;
const KNOWN_BODY_LENGTH = 1000;
const KNOWN_BODIES = new Map<string, Uint8Array>();

/** The value as dbus-next takes it: variants and dictionary entries as pairs. */
function marshallable(type: Type, value: unknown): unknown {
  switch (type.type) {
    case "v": {
      const { signature, value: inner } = value as Variant;
      const [first, ...more] = typesOf(signature);
      if (first === undefined || more.length > 0) throw new TypeError(`'${signature}' is not one complete type`);
      return [signature, marshallable(first, inner)];
    }
    case "a": {
      const [element] = type.child as [Type];
      if (element.type === "{" && !(value instanceof Map)) throw new TypeError("a dictionary is a Map");
      return Array.from(value as Iterable<unknown>, (item) => marshallable(element, item));
    }
    case "(":
    case "{": {
      const members = value as readonly unknown[];
      if (members.length !== type.child.length) throw new TypeError(`${members.length} members, not ${type.child.length}`);
      return type.child.map((member, index) => marshallable(member, members[index]));
    }
    case "s":
      // Sent as it is, a lone surrogate would arrive as another character.
      if (typeof value !== "string" || !value.isWellFormed()) throw new TypeError("not a string that UTF-8 can say");
      return value;
    case "o":
      if (typeof value !== "string" || !isObjectPathValid(value)) throw new TypeError(`${String(value)} is not an object path`);
      return value;
    case "h":
      throw new TypeError("file descriptors are not passed");
    default:
      return value;
  }
}

/** The bytes of a message's body as values. Throws ProtocolViolation for whatever they are not. */
export function decodeBody(signature = "", body: Uint8Array, littleEndian = true): readonly unknown[] {
  if (signature === "" && body.length === 0) return [];
  try {
    const reader = new BodyReader(body, littleEndian);
    const values = reader.readStruct(typesOf(signature));
    if (reader.pos !== body.length) throw new ProtocolViolation(`a body of ${body.length} bytes of which its signature takes ${reader.pos}`);
    return values;
  } catch (error) {
    if (error instanceof ProtocolViolation) throw error;
    throw new ProtocolViolation(messageOf(error), { cause: error });
  }
}

const DEPTH_LIMIT = 64;

/** dbus-next's reader, with the limits that it does not have and with the values that `Bus` promises. */
class BodyReader extends DBusBuffer {
  #depth = 0;

  constructor(body: Uint8Array, littleEndian: boolean) {
    super(Buffer.from(body.buffer, body.byteOffset, body.length), 0, littleEndian ? 0x6c : 0x42, null, { ayBuffer: false });
  }

  override readString(length: number): string {
    if (this.buffer[this.pos + length] !== 0) throw new ProtocolViolation("a string without its NUL");
    return super.readString(length);
  }

  override readVariant(): Variant {
    if (++this.#depth > DEPTH_LIMIT) throw new ProtocolViolation("variants nested too deep");
    const signature = this.readSimpleType("g") as string;
    const [type, ...more] = typesOf(signature);
    if (type === undefined || more.length > 0) throw new ProtocolViolation(`a variant of '${signature}'`);
    const value = this.readTree(type);
    this.#depth -= 1;
    return { signature, value };
  }

  override readArray(element: Type, size: number): unknown {
    if ("xtd({".includes(element.type)) this.align(3);
    const end = this.pos + size;
    if (end > this.buffer.length) throw new ProtocolViolation("an array beyond the message's end");
    if (element.type === "y") {
      const bytes = new Uint8Array(this.buffer.subarray(this.pos, end));
      this.pos = end;
      return bytes;
    }
    const items: unknown[] = [];
    while (this.pos < end) items.push(this.readTree(element));
    if (this.pos !== end) throw new ProtocolViolation("an array that ends within an element");
    return element.type === "{" ? new Map(items as [unknown, unknown][]) : items;
  }

  override readSimpleType(type: string): unknown {
    if (type === "y" && this.pos >= this.buffer.length) throw new ProtocolViolation("a byte beyond the message's end");
    if (type !== "x" && type !== "t") return super.readSimpleType(type);
    this.align(3);
    const at = this.pos;
    this.pos += 8;
    if (this.endian === 0x6c) return type === "x" ? this.buffer.readBigInt64LE(at) : this.buffer.readBigUInt64LE(at);
    return type === "x" ? this.buffer.readBigInt64BE(at) : this.buffer.readBigUInt64BE(at);
  }
}

/** A peer chooses the signatures it sends: what is kept is bounded. */
const KNOWN_TYPES = new Map<string, readonly Type[]>();
const KNOWN_LIMIT = 1000;

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (map.size >= KNOWN_LIMIT) map.clear();
  map.set(key, value);
}

function typesOf(signature: string): readonly Type[] {
  const known = KNOWN_TYPES.get(signature);
  if (known !== undefined) return known;
  if (signature.length > SIGNATURE_LIMIT) throw new ProtocolViolation("a signature that is too long");
  const types = parseSignature(signature);
  if (!types.every(isValidType)) throw new ProtocolViolation(`'${signature}' is not a signature`);
  keep(KNOWN_TYPES, signature, types);
  return types;
}
