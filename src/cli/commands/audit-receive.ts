import { OpError } from "../../core/errors.ts";
import { VerifierKey } from "../../store/audit/note.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";

export const auditReceiveCommand: CommandFactory = (context) =>
  command({
    args: {
      folder: { type: "positional", value: "DIR", required: false, description: "the only folder, by its absolute path, in which a replica may be kept", complete: "file" },
      key: { type: "string", value: "VKEY", description: "the verifier key of the only log of which one may be kept ('op-dbus audit key' on the host that writes it)" },
    },
    about:
      "Keeps a replica for another host: 'op-dbus audit replicate ssh://...' runs this here and speaks to it on standard input and output. " +
      "In ~/.ssh/authorized_keys, restrict,command=\"op-dbus audit receive /srv/replica\" before a key lets that key do this and nothing else: who holds it can add to the replica, and cannot change or remove what is in it. " +
      "Without --key VKEY the first who comes decides whose log a replica is.",
    example: "op-dbus audit receive /srv/replica",
    exits: [0, 1, 2, 6, 7, 8],
    async run({ folder, key }) {
      if (context.input.interactive) throw new OpError("invalid", "This is for 'op-dbus audit replicate' to speak to, not for people", { hint: "See: op-dbus audit receive --help" });
      if (folder !== undefined && !folder.startsWith("/")) throw new OpError("invalid", `'${folder}' is no absolute path`);
      if (key !== undefined && VerifierKey.parse(key) === undefined) throw new OpError("invalid", `'${key}' is no verifier key`, { hint: "On the host that writes the log: op-dbus audit key" });
      if (!(await context.receive({ folder, key }))) throw new OpError("invalid", "Nobody spoke on standard input", { hint: "This is for 'op-dbus audit replicate' to start and to speak to: op-dbus audit receive --help" });
      return DONE;
    },
  });
