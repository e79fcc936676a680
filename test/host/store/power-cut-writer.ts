import { writeSync } from "node:fs";
import type { AuditEvent } from "../../../src/core/ports.ts";
import { openStore } from "../../../src/store/open.ts";
import { readActor } from "../../../src/sys/actor.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { readHostIdentity } from "../../../src/sys/host-identity.ts";

/*
 * Runs in the host of power-cut.test.ts: power-cut-writer NAME. Logs one batch after another until the power goes, some of them within
 * transactions and some alone, by the code that op-dbus logs with. Says of each, once it is logged: "logged NAME.N SIZE".
 */

const STDOUT = 1;
const MOST_IN_A_BATCH = 7;
/** In each round, the first so many batches are one transaction, and each of the others is published by itself. */
const [IN_TRANSACTION, IN_ROUND] = [25, 30];

const [name = ""] = process.argv.slice(2);
const { audit } = openStore({ clock: systemClock, actor: readActor("cli"), host: readHostIdentity() });

for (let number = 0; ; number += 1) {
  if (number % IN_ROUND === 0) await audit.reserve();
  if (number % IN_ROUND === IN_TRANSACTION) await audit.free();
  const size = 1 + (number % MOST_IN_A_BATCH);
  const event: AuditEvent = { kind: "action", operation: "power-cut", resource: `${name}.${number}`, detail: size };
  await audit.append(Array.from({ length: size }, () => event));
  writeSync(STDOUT, `logged ${name}.${number} ${size}\n`);
}
