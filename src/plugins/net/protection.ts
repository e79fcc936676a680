import type { Action } from "../../core/plugin.ts";
import { isGuestPort } from "./interface-name.ts";
import { isOutward } from "./ovs/ports.ts";
import type { View } from "./state.ts";
import { FAMILIES } from "./subnet.ts";

type Protected = Pick<Action, "protected"> | Record<string, never>;

/** What would cut off the operator's session: said in the plan, and refused without --force. */
export class Guard {
  readonly #view: View;
  /** By link: the session that comes in over it. */
  readonly #carried = new Map<string, string>();

  constructor(view: View) {
    this.#view = view;
    for (const name of view.there) {
      const [session] = view.advice(name).sessions ?? [];
      if (session !== undefined) this.#carry(name, session);
    }
  }

  /** A link that goes down, or away. */
  link(name: string): Protected {
    return this.#over(name, (ip) => this.#isGiven(ip, name));
  }

  /** What a link's traffic goes by: a VLAN, a controller. Whoever changes it may change it for the better, or not. */
  change(name: string): Protected {
    return this.#over(name, () => false);
  }

  /** A port that leaves its bridge. */
  leaving(port: string): Protected {
    return this.#over(port, (ip) => this.#isGiven(ip));
  }

  /** A link that becomes a port: what is addressed to it goes to the bridge then, which is to have the address. */
  port(name: string): Protected {
    const session = this.#view.advice(name).sessions?.find((ip) => !this.#isGiven(ip, name));
    return session === undefined ? {} : { protected: `your session came in by ${session}, which the bridge is not given` };
  }

  address(name: string, address: string): Protected {
    const session = this.#view.advice(name).sessions?.find((ip) => address.startsWith(`${ip}/`));
    return session === undefined || this.#isGiven(session, name) ? {} : { protected: `your session came in by ${session}` };
  }

  #over(name: string, goesOn: (ip: string) => boolean): Protected {
    const session = this.#carried.get(name);
    return session === undefined || goesOn(session) ? {} : { protected: `your session came in by ${session}, over ${name}` };
  }

  /** Whether the document gives the session's address to another interface, where it goes on. */
  #isGiven(ip: string, but?: string): boolean {
    const given = Object.keys(this.#view.desired).filter((name) => name !== but && this.#view.want(name)?.state !== "absent");
    return given.some((name) => FAMILIES.some((family) => {
      return Object.entries(this.#view.want(name)?.[family]?.address ?? {}).some(([address, kind]) => kind === "present" && address.startsWith(`${ip}/`));
    }));
  }

  /** What a link's traffic comes in by: its base, or the only port of a bridge or bond that is no guest's; of a port within a bridge, the bridge. */
  #carry(name: string, session: string): void {
    if (this.#carried.has(name)) return;
    this.#carried.set(name, session);
    const { vlan, vxlan, ports = {} } = this.#view.now(name);
    const own = Object.keys(ports).filter((port) => !isGuestPort(port) && isOutward(port, this.#view));
    const below = [vlan?.base, vxlan?.base, own.length === 1 ? own[0] : undefined, isOutward(name, this.#view) ? undefined : this.#view.master(name)];
    for (const lower of below) if (lower != null) this.#carry(lower, session);
  }
}
