import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./in-memory.ts";

/** What is typed, and what a shell offers for the word at its end; in this order where the order is the shell's to choose. */
const offers: readonly (readonly [typed: string, words: readonly string[]])[] = [
  ["op-dbus pl", ["plan"]],
  ["op-dbus ver", ["verify", "version"]],
  ["op-dbus check", ["checkpoint"]],
  ["op-dbus checkpoint ", ["create", "delete", "list", "show"]],
  ["op-dbus checkpoint cr", ["create"]],
  ["op-dbus blockchain l", ["list"]],
  ["op-dbus plan --pr", ["--prune"]],
  ["op-dbus diff --pr", ["--prune"]],
  ["op-dbus diff --from", ["--from-checkpoint"]],
  ["op-dbus plan --plugin ", ["lamps"]],
  ["op-dbus --root /tmp plan --plugin l", ["lamps"]],
  ["op-dbus plan --plugin lamps --ou", ["--out"]],
  ["op-dbus audit list --kind r", ["recovery", "refusal", "reveal", "revert", "rollback"]],
  ["op-dbus audit se", ["search"]],
  ["op-dbus audit re", ["receive", "replicate", "reveal"]],
  ["op-dbus audit replicate st", ["state.json"]],
  ["op-dbus audit search vmbr0 --un", ["--until"]],
  ["op-dbus ti", ["time-travel"]],
  ["op-dbus time-travel --d", ["--date"]],
  ["op-dbus completion ", ["bash", "fish", "zsh"]],
  ["op-dbus plan st", ["state.json"]],
  ["op-dbus plan --out st", ["state.json"]],
  ["op-dbus apply --ye", ["--yes"]],
  ["op-dbus query --ye", []],
];

const shells = ["bash", "zsh", "fish"] as const;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "op-dbus-completion-"));
  await Bun.write(join(folder, "work/state.json"), "{}");
  for (const shell of shells) {
    const { stdout } = await run(["completion", shell]);
    await Bun.write(join(folder, shell), stdout);
  }
});

afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(Bun.which("bash") === null)("bash", () => {
  test("its syntax is right", async () => {
    expect(await shell(["bash", "-n", join(folder, "bash")])).toBe("");
  });

  // Readline breaks "--flag=value" into three words.
  test.each([...offers, ["op-dbus plan --plugin=l", ["lamps"]] as const, ["op-dbus audit list --kind=", ["action", "checkpoint", "commit", "confirm", "ownership", "plan", "prune", "recovery", "refusal", "reveal", "revert", "rollback", "snapshot", "verify"]] as const])("%s[Tab]", async (typed, words) => {
    const broken = typed.split(" ").flatMap((word) => word.split(/(=)/)).filter((word, index, all) => word !== "" || index === all.length - 1);
    const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _op_dbus; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = await shell(["bash", "--norc", "-c", script, "bash", join(folder, "bash"), ...broken]);
    expect(out.split("\n").filter(Boolean).sort()).toEqual([...words]);
  });
});

describe.skipIf(Bun.which("fish") === null)("fish", () => {
  test.each([...offers, ["op-dbus plan --plugin=l", ["--plugin=lamps"]] as const])("%s[Tab]", async (typed, words) => {
    const out = await shell(["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", join(folder, "fish"), typed]);
    expect(out.split("\n").map((line) => line.split("\t")[0] ?? "").filter(Boolean).sort()).toEqual([...words]);
  });
});

describe.skipIf(Bun.which("zsh") === null)("zsh", () => {
  test("its syntax is right", async () => {
    expect(await shell(["zsh", "-n", join(folder, "zsh")])).toBe("");
  });

  // A real line editor: Tab is pressed, and the line that comes of it is run.
  test.each(offers.filter(([, words]) => words.length === 1))("%s[Tab]", async (typed, [word = ""]) => {
    const script = `
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z "PS1= PS2=; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -D -u; source $1; op-dbus() { print -r -- \\"<\\$*>\\" }; print ready-\\$((1+1))"
      zpty -r z out '*ready-2*'
      zpty -w z "$2"$'\\t'
      zpty -r z out '*<*>*'
      print -r -- "$out"
      zpty -d z`;
    const out = await shell(["zsh", "-f", "-c", script, "zsh", join(folder, "zsh"), typed]);
    const before = typed.slice("op-dbus ".length, typed.lastIndexOf(" ") + 1);
    expect(out.match(/<([^>]*)>/)?.[1]?.trim()).toBe(`${before}${word}`.trim());
  });
});

async function shell(argv: string[]): Promise<string> {
  const child = Bun.spawn(argv, { cwd: join(folder, "work"), env: { PATH: process.env.PATH ?? "", HOME: folder, TERM: "dumb" }, stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: 20_000 });
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${argv[0]}: ${error}${out}`);
  return out + error;
}
