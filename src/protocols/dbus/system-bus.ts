import { socketsOf } from "./address.ts";
import type { Bus } from "./bus.ts";
import { Client, type ClientOptions, type Peer } from "./client.ts";

/** The specification still says /var/run, which has been a link to /run for as long as there is systemd. */
const SYSTEM_BUS = "/run/dbus/system_bus_socket";
const PRIVATE_SOCKET = "/run/systemd/private";

export interface BusOptions extends Omit<ClientOptions, "peers"> {
  /** A D-Bus address, instead of DBUS_SYSTEM_BUS_ADDRESS and the usual place. */
  readonly address?: string;
}

/** The system bus, connected to by the first call. */
export function openSystemBus({ address = givenAddress(), ...options }: BusOptions = {}): Bus {
  return new Client({ ...options, peers: () => [systemBus(address)] });
}

/**
 * A bus to PID 1: the system bus or, where it is not there or does not answer, PID 1's private socket, which needs no bus daemon and lets
 * in root alone. An address that somebody gave is the only one tried: who names a bus does not mean another systemd.
 */
export function openManagerBus({ address = givenAddress(), privateSocket, ...options }: BusOptions & { readonly privateSocket?: string } = {}): Bus {
  const fallback = privateSocket ?? (address === undefined ? PRIVATE_SOCKET : undefined);
  const peers = (): Peer[] => [systemBus(address), ...(fallback === undefined ? [] : [{ kind: "private-socket", sockets: [fallback] } as const])];
  return new Client({ ...options, peers });
}

function systemBus(address: string | undefined): Peer {
  return { kind: "system-bus", sockets: address === undefined ? [SYSTEM_BUS] : socketsOf(address) };
}

function givenAddress(): string | undefined {
  return process.env.DBUS_SYSTEM_BUS_ADDRESS || undefined;
}
