import { OpError } from "../../core/errors.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";

export const auditReceiveCommand: CommandFactory = (context) =>
  command({
    args: {
      folder: { type: "positional", value: "DIR", required: false, description: "the only folder, by its absolute path, in which a replica may be kept", complete: "file" },
    },
    about:
      "Keeps a replica for another host: 'op-dbus audit replicate ssh://...' runs this here and speaks to it on standard input and output. " +
      "In ~/.ssh/authorized_keys, restrict,command=\"op-dbus audit receive /srv/replica\" before a key lets that key do this and nothing else: who holds it can add to the replica, and cannot change or remove what is in it.",
    example: "op-dbus audit receive /srv/replica",
    exits: [0, 1, 2, 6, 7, 8],
    async run({ folder }) {
      if (context.input.interactive) throw new OpError("invalid", "This is for 'op-dbus audit replicate' to speak to, not for people", { hint: "See: op-dbus audit receive --help" });
      if (folder !== undefined && !folder.startsWith("/")) throw new OpError("invalid", `'${folder}' is no absolute path`);
      await context.receive(folder);
      return DONE;
    },
  });
