import { messageOf } from "../../src/core/errors.ts";
import { replicateTo } from "../unit/store/replica/sample-replica.ts";

/*
 * Run by replica-faults.test.ts under strace: bun replica-writer.ts ROOT REPLICA. Replicates, and says how many entries the replica is
 * said to have and how many snapshots were sent, "+ SIZE SNAPSHOTS", or that it failed, "- WHY". The last line is that it ended.
 */

const [, , root = "", path = ""] = process.argv;
const said = await replicateTo(root, path).then(({ size, snapshots }) => `+ ${size} ${snapshots.sent}`, (error: unknown) => `- ${messageOf(error)}`);
console.log(said);
console.log("ended");
