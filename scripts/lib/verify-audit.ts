import { readFileSync } from "node:fs";
import { openArchive } from "../../src/store/audit/archive.ts";

/*
 * Run by bench-audit.ts in a process of its own: bun verify-audit.ts ROOT. Verifies a log and prints the entries, the seconds and its memory at its peak.
 */

const started = performance.now();
let seen = 0;
const { size } = openArchive({ root: process.argv[2] ?? "" }).verify(() => () => void (seen += 1));
if (seen !== size) throw new Error(`${seen} of ${size} entries were seen`);
const seconds = (performance.now() - started) / 1000;
// Not getrusage's maxRSS, in which is what the parent had when it forked.
const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
console.log(JSON.stringify({ size, seconds, mebibytes: Math.round(Number(kib) / 1024) }));
