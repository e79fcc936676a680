import { openAt } from "../samples.ts";

/*
 * Run by audit-log.test.ts in a process of its own: bun busy-writer.ts ROOT. 200 transactions of a batch of one and a batch of two.
 */

const { audit } = openAt(process.argv[2] ?? "");
for (let transaction = 0; transaction < 200; transaction += 1) {
  if (transaction % 2 === 0) await audit.reserve();
  await audit.append([{ kind: "plan", outcome: "begun" }]);
  await audit.append([{ kind: "action", detail: "x".repeat(transaction * 10) }, { kind: "commit", outcome: "done" }]);
  if (transaction % 2 === 0) await audit.free();
}
