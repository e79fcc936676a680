import { OpError } from "../../../src/core/errors.ts";
import { openStore } from "../../../src/store/open.ts";
import { readActor } from "../../../src/sys/actor.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { readHostIdentity } from "../../../src/sys/host-identity.ts";

/*
 * Run by reveal.test.ts in a host, by a user who may not read keys/ and secrets/: bun secret-planner.ts ROOT VALUE. What such a one
 * comes to who seals a value to compare it, and who opens a commitment.
 */

const [, , root = "", value = ""] = process.argv;
const { secrets } = openStore({ root, clock: systemClock, actor: readActor("cli"), host: readHostIdentity() });
const key = ["memory", "a", "password"];
const commitment = secrets.commit(key, value);
const sameTwice = secrets.commit(key, value) === commitment;
const known = secrets.unkept(commitment).length === 0;
console.log(JSON.stringify({ sameTwice, known, opens: opened("0".repeat(64)) }));

function opened(other: string): string {
  try {
    return String(secrets.open(other));
  } catch (error) {
    return error instanceof OpError ? error.kind : "a bug";
  }
}
