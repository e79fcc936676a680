import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";

export const versionCommand: CommandFactory = ({ output, build }) =>
  command({
    args: {},
    about: "Prints the version and the commit that it was built from.",
    example: "op-dbus version",
    exits: [0, 1, 2],
    async run() {
      await output.result(() => ({ version: build.version, commit: build.commit }), () => `op-dbus ${build.version} (${build.commit})`);
      return DONE;
    },
  });
