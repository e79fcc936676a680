import { messageOf } from "../../src/core/errors.ts";
import { openAt } from "../unit/store/samples.ts";

/*
 * Run by audit-faults.test.ts under strace: bun audit-writer.ts ROOT. Logs batches within and without a transaction, and says of
 * each, when it knows, whether it was logged: "+ NAME" or "- NAME WHY". The first line is when it begins.
 */

const { audit } = openAt(process.argv[2] ?? "");

async function log(name: string, count: number): Promise<void> {
  try {
    await audit.append(Array.from({ length: count }, () => ({ kind: "action" as const, detail: name })));
    console.log(`+ ${name}`);
  } catch (error) {
    console.log(`- ${name} ${messageOf(error)}`);
  }
}

console.log("begun");
await log("alone", 2);
await audit.reserve().catch(() => undefined);
await log("first", 1);
await log("second", 5);
await audit.free().catch(() => undefined);
await log("last", 3);
console.log("ended");
