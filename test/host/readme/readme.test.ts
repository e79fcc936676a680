import { join } from "node:path";
import { expect } from "bun:test";
import type { Host } from "../harness/host.ts";
import { hostTest } from "../harness/shared.ts";

const README = join(import.meta.dir, "../../../README.md");

/** A command with what it printed, as a `console` block of the README shows it. */
interface Shown {
  readonly command: string;
  readonly output: string;
}

hostTest("README: every command of its console blocks prints what it says", async (host) => {
  const text = await Bun.file(README).text();
  const blocks = [...text.matchAll(/^```console\n([^]*?)^```$/gm)].map((match) => match[1] ?? "");
  expect(blocks.length).toBeGreaterThan(3);
  for (const file of ["state.json", "broken.json", "trial.json", "typo.json"]) await host.put(join(import.meta.dir, file), `/root/${file}`);
  let updated = text;
  const wrong: { command: string; expected: string; printed: string }[] = [];
  for (const block of blocks) {
    const printed: string[] = [];
    for (const { command, output } of shownIn(block)) {
      const real = await run(host, command);
      printed.push(`$ ${command}\n${real}`);
      if (steady(real) !== steady(output)) wrong.push({ command, expected: steady(output), printed: steady(real) });
    }
    updated = updated.replace(block, () => printed.join(""));
  }
  if (process.env.UPDATE_README === "1") await Bun.write(README, updated);
  else expect(wrong).toEqual([]);
}, { pristine: true });

/** `\` at a line's end continues a command. */
function shownIn(block: string): Shown[] {
  const parts = block.split(/^\$ /m).slice(1);
  return parts.map((part) => {
    const [command = ""] = /^(?:[^\n]*\\\n)*[^\n]*/.exec(part) ?? [];
    return { command, output: part.slice(command.length + 1) };
  });
}

async function run(host: Host, command: string): Promise<string> {
  const { stdout } = await host.run(["bash", "-c", `exec 2>&1; ${command}`], { cwd: "/root" });
  return stdout.replaceAll(/[ \t]+$/gm, "");
}

/** Without what differs from one run to the next: times, process ids, sizes of entries, and what systemd itself logged, which may come in another order or late. */
function steady(text: string): string {
  return text
    .replaceAll(/^ {4}\| (Starting|Failed|demo-fails\.service:) .*\n/gm, "")
    .replaceAll(/\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z?/g, "<time>")
    .replaceAll(/auto-\d{8}T\d{6}\.\d{3}Z/g, "<checkpoint>")
    .replaceAll(/\b[0-9a-f]{7,64}\b/g, "<hash>")
    .replaceAll(/\bpid \d+|process \d+/g, "<pid>")
    .replaceAll(/\b\d+(\.\d+)? (ms|s)\b/g, "<duration>")
    .replaceAll(/\b\d+ bytes\b/g, "<bytes>")
    .trimEnd();
}
