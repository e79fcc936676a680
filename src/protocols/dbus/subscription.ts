import type { Signal, SignalMatch } from "./bus.ts";
import type { Message } from "./message.ts";

/** The bus itself, whose name needs no owner. */
export const BUS_NAME = "org.freedesktop.DBus";

/** One subscription's decision about each signal. Pure: what it must be told, its client tells it. */
export class Subscription {
  readonly match: SignalMatch;
  readonly #handler: (signal: Signal) => void;
  /** Anybody may send a signal to anybody: only the name's owner, as the bus has it, is believed. */
  #owner: string | undefined;
  #ownerSeen = false;

  constructor(match: SignalMatch, handler: (signal: Signal) => void) {
    this.match = match;
    this.#handler = handler;
    if (this.watchesOwner) return;
    this.#owner = match.sender;
    this.#ownerSeen = true;
  }

  /** Whether the sender's name can change hands. */
  get watchesOwner(): boolean {
    return this.match.sender !== BUS_NAME && !this.match.sender.startsWith(":");
  }

  /** The match rules that make the bus send what this needs (D-Bus specification, "Match Rules"). */
  get rules(): string[] {
    const { sender, path, interface: interfaceName, member, arg0 } = this.match;
    const signals = rule({ sender, path, interface: interfaceName, member, arg0 });
    const owner = rule({ sender: BUS_NAME, interface: BUS_NAME, member: "NameOwnerChanged", arg0: sender });
    return this.watchesOwner ? [owner, signals] : [signals];
  }

  /** GetNameOwner's answer. A change of hands that came before it is newer or the same. */
  ownerIs(owner: string | undefined): void {
    if (!this.#ownerSeen) this.#owner = owner;
    this.#ownerSeen = true;
  }

  /** Looks at a signal and delivers it when it is one of ours. `anySender` is for a peer that is the only one on the wire. */
  offer(message: Message, body: () => readonly unknown[], anySender: boolean): void {
    if (this.watchesOwner && message.sender === BUS_NAME && message.member === "NameOwnerChanged" && !anySender) {
      const [name, , owner] = body();
      if (name === this.match.sender) {
        this.#owner = owner === "" ? undefined : String(owner);
        this.#ownerSeen = true;
      }
    }
    const { path, interface: interfaceName, member, arg0 } = this.match;
    if (message.path === undefined || message.interface !== interfaceName || message.member === undefined) return;
    if (!anySender && (message.sender === undefined || message.sender !== this.#owner)) return;
    if ((path !== undefined && message.path !== path) || (member !== undefined && message.member !== member)) return;
    if (arg0 !== undefined && body()[0] !== arg0) return;
    this.#handler({ path: message.path, interface: interfaceName, member: message.member, body: body() });
  }
}

function rule(parts: Readonly<Record<string, string | undefined>>): string {
  const quoted = Object.entries(parts).flatMap(([key, value]) => (value === undefined ? [] : [`${key}='${value.replaceAll("'", "'\\''")}'`]));
  return ["type='signal'", ...quoted].join(",");
}
