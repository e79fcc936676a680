import { OpError } from "../core/errors.ts";
import type { Context } from "./context.ts";

export interface Consent {
  readonly yes: boolean;
  /** False when standard input is taken by something else. */
  readonly inputFree: boolean;
}

/** Throws kind refused, before anything is begun, where nobody could be asked and --yes was not given. */
export function requireConsent({ input }: Pick<Context, "input">, { yes, inputFree }: Consent): void {
  if (yes || (input.interactive && inputFree)) return;
  throw new OpError("refused", "There is no terminal to ask on: it needs --yes");
}

/** Asks, unless --yes was given. Anything but yes throws kind refused. */
export async function askConsent({ input, output }: Pick<Context, "input" | "output">, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  await output.ask(`${question} [y/N] `);
  const answer = await input.line();
  if (answer === undefined) output.message("");
  if (!/^\s*y(es)?\s*$/i.test(answer ?? "")) throw new OpError("refused", "Not confirmed, nothing was changed");
}
