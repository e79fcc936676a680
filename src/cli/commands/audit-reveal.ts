import { OpError } from "../../core/errors.ts";
import { toJson, type Json } from "../../core/json.ts";
import type { SecretStore } from "../../core/ports.ts";
import { commitmentsIn } from "../../core/secret.ts";
import { command, type CommandFactory } from "../command.ts";
import { askConsent, requireConsent } from "../consent.ts";
import { DONE } from "../exit.ts";
import { entryAt, entryNumber } from "../history.ts";
import { columns, counted, printable } from "../printable.ts";
import { tellRecovered } from "../standing.ts";

/** A commitment that an entry names; what it is to may be kept no more. */
interface Revealed {
  readonly commitment: string;
  /** "before", "after" or both. */
  readonly stands: readonly string[];
  readonly salt: string | null;
  readonly value: string | null;
}

export const auditRevealCommand: CommandFactory = (context) =>
  command({
    args: {
      number: { type: "positional", value: "N", required: true, description: "the entry's number, as 'op-dbus audit list' prints it" },
      yes: { type: "boolean", description: "do not ask" },
    },
    about:
      "Prints the secrets that an entry of the audit log has commitments to in their place, each with its salt, so that anyone can check with sha256sum that the entry speaks of that secret and no other. " +
      "That they were revealed is logged first. For who may read the state directory's secrets, which is root.",
    example: "op-dbus audit reveal 12",
    exits: [0, 1, 2, 6, 7, 8],
    async run({ number, yes }) {
      const index = entryNumber(number);
      requireConsent(context, { yes, inputFree: true });
      await using session = await context.open("write");
      const options = { force: false, observer: {}, recovered: tellRecovered(context) };
      const revealed = await session.engine.change("audit reveal", options, async ({ audit, secrets }) => {
        const { before = null, after = null } = entryAt(audit, index);
        const revealed = revealedBy({ before, after }, secrets);
        if (revealed.length === 0) throw new OpError("invalid", `Entry ${index} has no secret in it`);
        const known = revealed.filter(({ value }) => value !== null);
        if (known.length === 0) throw new OpError("refused", `What entry ${index} commits to is not kept here any more`, { details: revealed.map(({ commitment }) => commitment) });
        await askConsent(context, `Print ${counted(known.length, "secret")} here?`, yes);
        await audit.append([{ kind: "reveal", operation: `entry ${index}`, detail: known.map(({ commitment }) => commitment) }]);
        return revealed;
      });
      await context.output.result(
        () => ({ entry: index, secrets: toJson(revealed) }),
        () => [...revealed.map((each) => columns(rowsOf(each)).join("\n")), `To check one: ${RECIPE}`].join("\n\n"),
      );
      return DONE;
    },
  });

const RECIPE = `printf 'op-dbus-secret-v1\\n%s\\n%s' "$SALT" "$VALUE" | sha256sum`;

function revealedBy(sides: Readonly<Record<"before" | "after", Json>>, secrets: SecretStore): Revealed[] {
  const named = Object.entries(sides).map(([side, value]) => [side, commitmentsIn(value)] as const);
  return [...new Set(named.flatMap(([, commitments]) => commitments))].map((commitment) => {
    const stands = named.filter(([, commitments]) => commitments.includes(commitment)).map(([side]) => side);
    const { salt = null, value = null } = secrets.open(commitment) ?? {};
    return { commitment, stands, salt, value };
  });
}

function rowsOf({ commitment, stands, salt, value }: Revealed): string[][] {
  const known = salt === null || value === null ? [["value", "not kept here any more"]] : [["salt", salt], ["value", shown(value)]];
  return [["commitment", `${commitment} (${stands.join(" and ")})`], ...known];
}

/** A value that would not come through as it is: --json has it. */
function shown(value: string): string {
  const text = printable(value);
  return text === value ? value : `${text} (escaped; exactly with --json)`;
}
