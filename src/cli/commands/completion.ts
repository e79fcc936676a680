import { command, type CommandFactory, type Entry } from "../command.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { placesOf } from "../completion/words.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { DONE } from "../exit.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** Takes the command tree, which it is itself a part of. */
export const completionCommand = (commands: readonly Entry[]): CommandFactory => (context) =>
  command({
    args: {
      shell: { type: "positional", value: "SHELL", required: true, description: Object.keys(SHELLS).join(", "), allowed: Object.keys(SHELLS) },
    },
    about:
      "Prints a script that completes op-dbus's commands and flags. bash: write it to /etc/bash_completion.d/op-dbus; zsh: to a file '_op-dbus' in a folder of $fpath; fish: to ~/.config/fish/completions/op-dbus.fish.",
    example: "op-dbus completion bash > /etc/bash_completion.d/op-dbus",
    exits: [0, 1, 2],
    async run({ shell }) {
      const plugins = (await context.plugins()).map(({ name }) => name);
      const script = SHELLS[shell as keyof typeof SHELLS](await placesOf(commands, context), plugins);
      await context.output.result(() => ({ shell, script }), () => script.trimEnd());
      return DONE;
    },
  });
