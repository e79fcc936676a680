import { expect, test } from "bun:test";
import { openProbe } from "../../../src/sys/probe.ts";

test("a tcp probe succeeds where somebody accepts connections, IPv4, IPv6 and by name", async () => {
  using four = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  using six = Bun.listen({ hostname: "::1", port: 0, socket: { data: () => undefined } });
  for (const name of [`tcp:127.0.0.1:${four.port}`, `tcp:[::1]:${six.port}`, `tcp:localhost:${four.port}`]) {
    const probe = openProbe(name);
    expect([probe.name, await probe.attempt(10_000)]).toEqual([name, undefined]);
  }
});

test("it says why not where nobody does", async () => {
  const closed = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = closed;
  closed.stop(true);
  expect(await openProbe(`tcp:127.0.0.1:${port}`).attempt(10_000)).toBe("Failed to connect");
});

test("it gives up after its time", async () => {
  // Nobody is at an address for documentation (RFC 5737); where even the route is missing, the system says so first.
  expect(await openProbe("tcp:192.0.2.1:22").attempt(50)).toMatch(/^no answer within 0\.05 s$|^Failed to connect$/);
});

test.each(["tcp", "tcp:host", "tcp:host:0", "tcp:host:65536", "tcp:host:22x", "tcp::22", "tcp:::1:22", "tcp:[host]:22", "ping:", "ping:host", "ping:192.0.2.1%eth0", "ping:1.2.3", "ping:::ffff:192.0.2.1", "gateway:eth0", ""])("'%s' is refused by name", (name) => {
  expect(() => openProbe(name)).toThrow(`'${name}' is no probe`);
});

test.each(["127.0.0.1", "127.0.0.77", "::1", "0:0::1", "::1%lo"])("a ping of %s", async (address) => {
  const said = await openProbe(`ping:${address}`).attempt(10_000);
  // A raw socket is root's.
  if (process.getuid?.() === 0) expect(said).toBeUndefined();
  else expect(said).toStartWith("Could not reach it");
});
