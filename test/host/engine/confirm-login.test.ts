import { expect } from "bun:test";
import type { Host, Result } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { declare, expectLine, opDbus, opDbusJson, shown, STATE } from "../session.ts";

const INSIDE = "192.0.2.1";
const OPTIONS = ["-i", "/root/key", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new"];

/** Makes a neighbour of the host, in a network namespace of its own, that may log in as root. */
async function withNeighbour(host: Host): Promise<void> {
  await host.must(["sh", "-ec", `
    ip netns add outside
    ip link add inner type veth peer name outer netns outside
    ip addr add ${INSIDE}/24 dev inner
    ip link set inner up
    ip -n outside addr add 192.0.2.2/24 dev outer
    ip -n outside link set outer up
    ip -n outside link set lo up
    ssh-keygen -q -t ed25519 -N '' -f /root/key
    install -D -m 600 /root/key.pub /root/.ssh/authorized_keys
    systemctl start ssh.service`]);
}

/** Runs a command line on the host, over ssh from the neighbour. */
function fromOutside(host: Host, command: string, ...options: string[]): Promise<Result> {
  return host.run(["ip", "netns", "exec", "outside", "ssh", ...OPTIONS, ...options, `root@${INSIDE}`, command]);
}

hostTest("confirm: not from a shell that was there before, nor screen, nor an old connection, nor this host itself; from a new ssh login", async (host) => {
  await withNeighbour(host);
  await declare(host, { "demo-notify.service": { active_state: "active", enabled: true } });
  await host.must(["ip", "netns", "exec", "outside", "ssh", ...OPTIONS, "-M", "-S", "/root/master", "-f", "-N", `root@${INSIDE}`]);
  const later = (name: string) => `until [ -e /root/go-${name} ]; do read -t 0.1 _ <>/root/never; done; op-dbus confirm >/root/${name} 2>&1; echo "exit $?" >>/root/${name}`;
  await host.must(["mkfifo", "/root/never"]);
  expect((await fromOutside(host, `screen -dmS kept bash -c '${later("screen")}'`)).exit).toBe(0);
  const applying = fromOutside(host, `{ op-dbus apply ${STATE} --yes --confirm-within 5m; echo "exit $?" >/root/applied; } & bash -c '${later("same")}'; wait`);
  await host.waitUntil(async () => (await opDbusJson<{ waiting: unknown }>(host, 0, "status")).waiting, { what: "the apply to wait" });

  const said = async (name: string) => {
    await host.must(["touch", `/root/go-${name}`]);
    const ended = async () => (await host.run(["grep", "-q", "^exit", `/root/${name}`])).exit === 0;
    await host.waitUntil(ended, { what: `the confirmation from ${name}` });
    return (await host.read(`/root/${name}`)).replaceAll(/\s+/g, " ");
  };
  expect(await said("same")).toMatch(/ssh connection from 192\.0\.2\.2 \(process \d+\) was there before the change was made .*exit 6 $/);
  expect(await said("screen")).toMatch(/it comes from no ssh connection and no console, but from 'screen' \(process \d+\) .*exit 6 $/);
  const multiplexed = await fromOutside(host, "op-dbus confirm", "-S", "/root/master");
  expect(multiplexed.exit).toBe(6);
  expectLine(multiplexed, "was there before the change was made", "op-dbus confirm --here");
  const itself = await host.run(["ssh", ...OPTIONS, "root@127.0.0.1", "op-dbus confirm"]);
  expect(itself.exit).toBe(6);
  expectLine(itself, "comes from this host itself");
  const nobody = await opDbus(host, 6, "confirm");
  expectLine(nobody, "it comes from no ssh connection and no console");

  const confirmed = await fromOutside(host, "op-dbus confirm");
  expect({ exit: confirmed.exit, stderr: confirmed.stderr }).toEqual({ exit: 0, stderr: "" });
  expectLine(confirmed, "is confirmed, and stays");
  expect((await applying).exit).toBe(0);
  expect(await host.read("/root/applied")).toBe("exit 0\n");
  expect(await shown(host, "demo-notify.service")).toBe("active/enabled");
  const { stdout: log } = await opDbus(host, 0, "audit", "list", "--limit", "0", "--json");
  expect(log).toMatch(/"by root, by an ssh connection from 192\.0\.2\.2 \(process \d+\), accepted after the change"/);
  const { entries } = JSON.parse(log) as { entries: { kind: string; operation?: string }[] };
  expect(entries.filter(({ kind, operation }) => kind === "refusal" && operation === "confirm")).toHaveLength(5);
}, { pristine: { variant: "network" } });

hostTest("probe: ping and gateway, over IPv4 and IPv6, confirm when there is an answer", async (host) => {
  await withNeighbour(host);
  await host.must(["sh", "-ec", `
    ip addr add 2001:db8::1/64 dev inner nodad
    ip -n outside addr add 2001:db8::2/64 dev outer nodad
    ip -n outside addr add fe80::2/64 dev outer nodad`]);
  const units = (active_state: string) => ({ "demo-notify.service": { active_state } });
  const probed = async (exit: number, probe: string) => {
    await declare(host, units((await shown(host, "demo-notify.service")).startsWith("active") ? "inactive" : "active"));
    return await opDbus(host, exit, "apply", STATE, "--yes", "--force", "--probe", probe, "--confirm-within", exit === 0 ? "60s" : "6s");
  };
  for (const probe of ["ping:192.0.2.2", "ping:2001:db8::2", "ping:fe80::2%inner"]) expectLine(await probed(0, probe), "It was confirmed.");
  await probed(4, "ping:192.0.2.3");
  await probed(4, "gateway");
  await host.must(["ip", "-6", "route", "add", "default", "via", "fe80::2", "dev", "inner"]);
  expectLine(await probed(0, "gateway"), "It was confirmed.");
  await host.must(["ip", "route", "add", "default", "via", "192.0.2.3"]);
  await probed(4, "gateway");
  await host.must(["ip", "route", "replace", "default", "via", "192.0.2.2"]);
  expectLine(await probed(0, "gateway"), "It was confirmed.");
}, { pristine: { variant: "network" } });
