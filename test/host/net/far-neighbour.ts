import { expect } from "bun:test";
import type { Host, Program } from "../harness/host.ts";
import { opDbusJson, STATE } from "../session.ts";
import { declareNet, type Section } from "./session.ts";

export const INSIDE = "192.0.2.1";
const FAR = "198.51.100.1";
const UNIT = "far-neighbour.service";
const JOURNAL = "/var/lib/op-dbus/@state/journal.jsonl";

/**
 * What a boot takes away, so that a unit makes it: a link to a neighbour who comes from beyond the gateway. As on a hardened host, what
 * comes in by another link than the answer goes out by is dropped: else an uplink's address works on behind a bridge, as long as ARP remembers.
 */
const NEIGHBOUR = `#!/bin/sh -e
  echo 1 >/proc/sys/net/ipv4/conf/default/rp_filter
  ip netns add outside
  ip link add inner address 02:00:00:00:00:10 type veth peer name outer netns outside
  ip address add ${INSIDE}/24 brd + dev inner
  ip link set inner up
  ip -n outside address add 192.0.2.2/24 dev outer
  ip -n outside address add ${FAR}/32 dev lo
  ip -n outside link set outer up
  ip -n outside link set lo up
  ip route add default via 192.0.2.2
`;

/** After the guard of a boot, which waits for no network: what a boot takes away is no matter of its. */
const UNIT_FILE = `[Unit]
After=op-dbus-recover.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/far-neighbour
[Install]
WantedBy=multi-user.target
`;

/** Gives the host a neighbour in a network namespace of its own, routed over the link `inner`, who may log in as root; each boot makes it anew. */
export async function withFarNeighbour(host: Host): Promise<void> {
  await host.write("/usr/local/sbin/far-neighbour", NEIGHBOUR, 0o755);
  await host.write(`/etc/systemd/system/${UNIT}`, UNIT_FILE);
  await host.must(["sh", "-ec", `
    ssh-keygen -q -t ed25519 -N '' -f /root/key
    install -D -m 600 /root/key.pub /root/.ssh/authorized_keys
    systemctl enable --quiet --now ${UNIT} ssh.service`]);
  expect((await host.run(ssh("true"))).exit).toBe(0);
}

/** The line of a new login of the neighbour's, and what it runs on the host. */
export function ssh(command: string, timeoutS = 30): string[] {
  const options = ["-i", "/root/key", "-b", FAR, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", `ConnectTimeout=${timeoutS}`];
  return ["timeout", "--foreground", String(timeoutS), "ip", "netns", "exec", "outside", "ssh", ...options, `root@${INSIDE}`, command];
}

/** A change on trial that the neighbour gave, and the deadline by which it is confirmed or taken back, as `performance.now()` counts. */
export interface Trial extends AsyncDisposable {
  readonly session: Program;
  readonly deadline: number;
}

/** The neighbour applies a net section over ssh. Returns when it was made, and waits to be confirmed. */
export async function onTrial(host: Host, section: Section, within: string): Promise<Trial> {
  await declareNet(host, section);
  // In a unit, as a login from another machine would be: a host with anything else in it does not come back from a reboot.
  const session = host.spawn(["systemd-run", "--quiet", "--pipe", "--collect", ...ssh(`op-dbus apply ${STATE} --yes --force --confirm-within ${within}`, 120)]);
  const { seconds_left } = await host.waitUntil(async () => (await opDbusJson<{ waiting: { seconds_left: number } | null }>(host, 0, "status")).waiting, { what: "the apply to wait" }).catch((cause: unknown) => {
    throw new Error(`The apply does not wait: ${session.stderr}`, { cause });
  });
  return { session, deadline: performance.now() + seconds_left * 1000, [Symbol.asyncDispose]: async () => void (await session.kill("SIGKILL")) };
}

/** Nobody can log in any more. */
export async function expectCutOff(host: Host): Promise<void> {
  expect((await host.run(ssh("op-dbus confirm", 2))).exit).not.toBe(0);
}

/** The neighbour can log in anew, at the latest five seconds after the deadline; and what is left of the change is done soon after. */
export async function expectLetIn(host: Host, deadline: number): Promise<void> {
  const login = async () => (await host.run(ssh("true", 2))).exit === 0;
  await host.waitUntil(login, { what: "a new login", timeoutMs: deadline + 5000 - performance.now() });
  await host.waitUntil(async () => (await host.run(["test", "-e", JOURNAL])).exit !== 0, { what: "the change to be decided" });
  await host.waitUntil(async () => (await host.run(["pidof", "op-dbus"])).exit !== 0, { what: "op-dbus to be gone" });
}

/** What the log tells, in order: each kind of entry and its outcome, the actions between two others as one. */
export async function story(host: Host): Promise<string[]> {
  const { entries } = await opDbusJson<{ entries: { kind: string; outcome: string }[] }>(host, 0, "audit", "list", "--limit", "0");
  const told = entries.map(({ kind, outcome }) => (kind === "action" ? "actions" : `${kind} ${outcome}`));
  return told.filter((each, at) => each !== told[at - 1]);
}
