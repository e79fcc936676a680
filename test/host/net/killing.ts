import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { opDbusJson, STATE } from "../session.ts";

/** Every second of them; KILL_EVERY=1 takes all, which is twice the time. */
const KILL_EVERY = Number(process.env.KILL_EVERY ?? 2);

/**
 * Applies the declared state, again and again, killed before one after another of its calls of that name; after each, what `said` tells is as it
 * was or as declared, and nothing is left interrupted.
 */
export async function killBeforeEach(call: string, host: Host, said: () => Promise<string>): Promise<void> {
  const before = await said();
  expect((await host.run(["op-dbus", "apply", STATE, "--yes"])).exit).toBe(0);
  const desired = await said();
  const back = async () => {
    expect((await host.run(["op-dbus", "rollback", "--yes"])).exit).toBe(0);
    await host.must(["rm", "-rf", "/var/lib/op-dbus"]);
  };
  await back();
  expect(await said()).toBe(before);
  const ends = { before: 0, desired: 0 };
  for (let nth = 1; ; nth += KILL_EVERY) {
    const inject = [`--trace=${call}`, `--inject=${call}:signal=KILL:when=${nth}`];
    const killed = await host.run(["strace", "-f", "-qqq", "-o", "/dev/null", ...inject, "op-dbus", "apply", STATE, "--yes"]);
    if (killed.exit === 0) break;
    expect({ nth, exit: killed.exit }).toEqual({ nth, exit: 137 });
    // Recovery comes first; then the document is refused as rejected where it was taken back, and applied where nothing had begun.
    const next = await host.run(["op-dbus", "apply", STATE, "--yes"]);
    expect({ nth, exit: next.exit, state: await said() }).toEqual({ nth, exit: next.exit, state: next.exit === 6 ? before : desired });
    expect({ nth, exit: next.exit }).toEqual({ nth, exit: next.exit === 6 ? 6 : 0 });
    expect(await opDbusJson<{ interrupted: unknown }>(host, 0, "status")).toMatchObject({ interrupted: null });
    ends[next.exit === 6 ? "before" : "desired"] += 1;
    if (next.exit === 0) await back();
    else await host.must(["rm", "-rf", "/var/lib/op-dbus"]);
    expect({ nth, state: await said() }).toEqual({ nth, state: before });
  }
  console.log(`  killed before ${KILL_EVERY === 1 ? "each" : `one in ${KILL_EVERY}`} ${call}: ${ends.before} times back in the before-state, ${ends.desired} times in the desired state`);
  expect(ends.before).toBeGreaterThan(5);
  expect(ends.before + ends.desired).toBeGreaterThan(7);
}
