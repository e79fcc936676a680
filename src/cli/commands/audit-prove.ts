import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import { entryNumber } from "../history.ts";

export const auditProveCommand: CommandFactory = (context) =>
  command({
    args: {
      number: { type: "positional", value: "N", required: true, description: "the entry's number, as 'op-dbus audit list' prints it" },
      out: { type: "string", value: "FILE", description: "write it to a file that is not there yet (default: standard output)", complete: "file" },
    },
    about:
      "Makes a proof that the log has this entry (c2sp.org/tlog-proof), which anyone can check offline with the log's verifier key. " +
      "The entry goes with it: its line 'extra' is the entry in base64. Of an entry that was pruned there is none to be had, exit 6 says so.",
    example: "op-dbus audit prove 12 --out 12.tlog-proof",
    exits: [0, 1, 2, 6, 7],
    async run({ number, out }) {
      const index = entryNumber(number);
      const proof = (await context.archive({})).prove(index);
      if (out !== undefined) context.files.write(out, proof, { replace: false });
      await context.output.result(
        () => (out === undefined ? { index, proof } : { index, written: out }),
        () => (out === undefined ? proof.trimEnd() : `Wrote ${out}`),
      );
      return DONE;
    },
  });
