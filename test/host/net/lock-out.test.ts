import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";
import { expectLine, opDbus, opDbusJson, STATE } from "../session.ts";
import { expectCutOff, expectLetIn, INSIDE, onTrial, ssh, story, withFarNeighbour } from "./far-neighbour.ts";
import { addressesSaid, applyNet, declareNet, everythingSaid, linkSaid, routesSaid } from "./session.ts";

const NETWORK_HOST = { pristine: { variant: "network" } } as const;

const WITHIN = "6s";
const UNCONFIRMED = "it was not confirmed within 6 s";
const ADDRESS = { ip: INSIDE, prefix: 24 };
const WRONG_GATEWAY = { interfaces: [{ name: "inner", ipv4: { gateway: "192.0.2.9" } }] };
const BRIDGED = { interfaces: [{ name: "br0", type: "bridge", ports: ["inner"], ipv4: { address: [ADDRESS] } }] };

/** Each cuts the host off from a neighbour who comes by a route over `inner`. */
const SCENARIOS = {
  "a wrong gateway": WRONG_GATEWAY.interfaces,
  "the uplink down": [{ name: "inner", up: false }],
  "its address absent": [{ name: "inner", ipv4: { address: [{ ...ADDRESS, state: "absent" }] } }],
  "its address changed to another network": [{ name: "inner", ipv4: { address: [{ ...ADDRESS, state: "absent" }, { ip: "203.0.113.1", prefix: 24 }] } }],
  "the uplink in a bridge that is not given its address": [{ name: "br0", type: "bridge", ports: ["inner"] }],
  "the uplink in a bridge that is down": [{ name: "br0", type: "bridge", ports: ["inner"], up: false }],
  "an MTU too small for the path": [{ name: "inner", mtu: 68 }],
};

const MADE = ["plan begun", "actions", "verify done", "confirm begun"];
const TAKEN_BACK = ["recovery begun", "revert begun", "actions", "revert done", "recovery done"];

/** The log says why, and the document does not come back by itself. */
async function expectRejected(host: Host, why: string): Promise<void> {
  expect((await opDbus(host, 0, "audit", "list", "--kind", "revert", "--limit", "0", "--json")).stdout).toContain(`"detail": "${why}"`);
  expectLine(await opDbus(host, 6, "apply", STATE, "--yes"), "This document was rejected", why);
  expect((await opDbus(host, 0, "audit", "verify")).stdout).toContain("verifies");
}

/** What carries the session, whichever link does: a link that is made again has other numbers. */
async function said(host: Host): Promise<unknown> {
  const links = await Promise.all(["inner", "br0"].map(async (name) => {
    const link = await linkSaid(host, name);
    return link === undefined ? [name] : [name, link.master, link.mtu, link.address, link.flags, await addressesSaid(host, name)];
  }));
  return [links, await routesSaid(host)];
}

for (const [what, interfaces] of Object.entries(SCENARIOS)) {
  hostTest(`lock-out: ${what} is taken back, and who was cut off gets in again`, async (host) => {
    await withFarNeighbour(host);
    const before = await everythingSaid(host);
    await using trial = await onTrial(host, { interfaces }, WITHIN);
    await expectCutOff(host);
    await expectLetIn(host, trial.deadline);
    expect(await everythingSaid(host)).toBe(before);
    expect(await story(host)).toEqual([...MADE, ...TAKEN_BACK]);
    await expectRejected(host, UNCONFIRMED);
    expect(await everythingSaid(host)).toBe(before);
  }, NETWORK_HOST);
}

hostTest("lock-out: the uplink's bridge absent is taken back: it is made again, with its port, address and routes", async (host) => {
  await withFarNeighbour(host);
  await applyNet(host, BRIDGED);
  const before = await said(host);
  await using trial = await onTrial(host, { interfaces: [{ name: "br0", state: "absent" }] }, WITHIN);
  expect(await linkSaid(host, "br0")).toBeUndefined();
  await expectCutOff(host);
  await expectLetIn(host, trial.deadline);
  expect(await said(host)).toEqual(before);
  expect(await story(host)).toEqual(["plan begun", "actions", "verify done", "commit done", ...MADE, ...TAKEN_BACK]);
  await expectRejected(host, UNCONFIRMED);
}, NETWORK_HOST);

hostTest("lock-out: an uplink absent that could not be made again is refused, and nothing is touched", async (host) => {
  await withFarNeighbour(host);
  const before = await everythingSaid(host);
  await declareNet(host, { interfaces: [{ name: "inner", state: "absent" }] });
  const refused = await host.run(ssh(`op-dbus apply ${STATE} --yes --force --confirm-within ${WITHIN}`));
  expect(refused.exit).toBe(2);
  expectLine(refused, "'inner' cannot be removed", "which could not be made again", "nothing was touched");
  expect(await everythingSaid(host)).toBe(before);
}, NETWORK_HOST);

hostTest("lock-out: what was killed after the change is taken back with nobody there", async (host) => {
  await withFarNeighbour(host);
  const before = await everythingSaid(host);
  await using trial = await onTrial(host, WRONG_GATEWAY, WITHIN);
  await host.must(["sh", "-c", "kill -9 $(pidof op-dbus)"]);
  await expectCutOff(host);
  await expectLetIn(host, trial.deadline);
  expect(await everythingSaid(host)).toBe(before);
  expect(await story(host)).toEqual([...MADE, ...TAKEN_BACK]);
  await expectRejected(host, UNCONFIRMED);
}, NETWORK_HOST);

hostTest("lock-out: a host that is rebooted after the change comes up without it, and does so again", async (host) => {
  await withFarNeighbour(host);
  const before = await said(host);
  const trial = await onTrial(host, WRONG_GATEWAY, "1h");
  await expectCutOff(host);
  for (const boot of ["the next", "the one after"]) {
    await host.reboot();
    expect(trial.session.running).toBe(false);
    await host.waitUntil(async () => (await host.run(ssh("true", 2))).exit === 0, { what: `a login in ${boot} boot` });
    expect([boot, await said(host)]).toEqual([boot, before]);
    expect(await opDbusJson(host, 0, "status")).toMatchObject({ waiting: null, interrupted: null });
    // The boot itself took the change away: nothing is left to be done.
    const told = [...MADE, ...TAKEN_BACK.filter((each) => each !== "actions")];
    expect((await story(host)).slice(0, told.length)).toEqual(told);
    await expectRejected(host, "the host was started anew before it was confirmed");
  }
}, NETWORK_HOST);

hostTest("lock-out: a new login over the new path confirms it, and it is kept", async (host) => {
  await withFarNeighbour(host);
  await using trial = await onTrial(host, BRIDGED, "60s");
  expect((await linkSaid(host, "inner"))?.master).toBe("br0");
  const confirmed = await host.run(ssh("op-dbus confirm"));
  expect({ exit: confirmed.exit, stderr: confirmed.stderr }).toEqual({ exit: 0, stderr: "" });
  expect((await trial.session.ended()).exit).toBe(0);
  expect(await addressesSaid(host, "br0")).toEqual([`${INSIDE}/24`]);
  expect(await routesSaid(host)).toEqual(["default via 192.0.2.2 dev br0"]);
  expect(await story(host)).toEqual([...MADE, "confirm done", "commit done"]);
  expect((await host.run(ssh("true"))).exit).toBe(0);
}, NETWORK_HOST);
