import { parseIp } from "../../core/ip-address.ts";
import { isRoute } from "./route-name.ts";
import type { View } from "./state.ts";
import { contains, FAMILIES, parseSubnet, type Family } from "./subnet.ts";

/** An address that a port has and that the document gives to its bridge. */
export interface Move {
  readonly port: string;
  readonly master: string;
  readonly family: Family;
  readonly address: string;
}

/**
 * What moves with an uplink into its bridge or bond: the addresses that the document gives to the one and the other still has, the
 * routes that lead over their networks, the hardware address.
 */
export class Moves {
  readonly all: readonly Move[];
  readonly #view: View;

  constructor(view: View) {
    this.#view = view;
    this.all = Object.keys(view.desired).flatMap((master) => (isRoute(master) ? [] : this.#movesTo(master)));
  }

  from(port: string): readonly Move[] {
    return this.all.filter((move) => move.port === port);
  }

  to(master: string, address: string): Move | undefined {
    return this.all.find((move) => move.master === master && move.address === address);
  }

  /** Where what leads over a gateway goes along with the port's addresses; undefined where it stays. */
  destinationOf(port: string, via: string): string | undefined {
    return masterIn(this.from(port), via);
  }

  /** What a gateway is reached over once all has moved; undefined where that is no matter of what moves. */
  masterOver(via: string): string | undefined {
    return masterIn(this.all, via);
  }

  /** The hardware address that a new bridge takes over: who knows the host by it, by DHCP or port security, goes on knowing it. */
  macFor(master: string): { readonly address: string; readonly port: string } | undefined {
    const type = this.#view.want(master)?.type;
    if (type !== "bridge" && type !== "ovs-bridge") return undefined;
    const move = this.all.find((each) => each.master === master);
    const address = move && this.#view.now(move.port).mac;
    return move === undefined || address == null ? undefined : { address, port: move.port };
  }

  #movesTo(master: string): Move[] {
    const want = this.#view.want(master);
    if (want === undefined || want.state === "absent") return [];
    const joining = Object.entries(want.ports ?? {}).filter(([, { state }]) => state === "present").map(([port]) => port);
    return joining.flatMap((port) =>
      FAMILIES.flatMap((family) => {
        const given = Object.entries(want[family]?.address ?? {}).filter(([address, kind]) => {
          const has = this.#view.now(port)[family]?.address?.[address] === "present";
          return kind === "present" && has && this.#view.want(port)?.[family]?.address?.[address] !== "present";
        });
        return given.map(([address]) => ({ port, master, family, address }));
      }),
    );
  }
}

function masterIn(moves: readonly Move[], via: string): string | undefined {
  const gateway = parseIp(via);
  const over = moves.find(({ address }) => {
    const subnet = parseSubnet(address);
    return subnet !== undefined && gateway !== undefined && contains(subnet, gateway);
  });
  return over?.master;
}
