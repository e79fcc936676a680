import { openStore } from "../../../src/store/open.ts";
import { readActor } from "../../../src/sys/actor.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { readHostIdentity } from "../../../src/sys/host-identity.ts";
import { createLock } from "../../../src/sys/lock.ts";
import { applyTo, documentOf } from "../../conformance/fixture.ts";
import { MemoryPeer } from "../../conformance/memory-peer.ts";
import { createMemoryPlugin } from "../../conformance/memory-plugin.ts";
import { UNGUARDED } from "../../conformance/memory-guard.ts";

/*
 * Run by reveal.test.ts in a host: bun secret-writer.ts ROOT OLD NEW. The built op-dbus has no plugin with secrets yet; this is its
 * engine and its store with the memory plugin of the conformance suite, which replaces the password OLD by NEW.
 */

const [, , root = "", old = "", next = ""] = process.argv;
const { prepare, lockPath, journal, audit, ledger, secrets } = openStore({ root, clock: systemClock, actor: readActor("cli"), host: readHostIdentity() });
await prepare();
const peer = new MemoryPeer();
peer.put("a", { password: old });
const host = { plugins: [createMemoryPlugin(peer)], lock: createLock(lockPath), journal, audit, ledger, secrets, clock: systemClock, actor: readActor("cli"), deadMan: UNGUARDED };
await applyTo(host, documentOf({ memory: { items: { a: { password: next } } } }));
if (peer.items.get("a")?.password !== next) throw new Error("The password is not the new one");
