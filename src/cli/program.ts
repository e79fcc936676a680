import { messageOf, OpError } from "../core/errors.ts";
import { COMMANDS } from "./commands.ts";
import type { Context } from "./context.ts";
import { DIFFERENCE, DONE, exitOf, type ExitCode } from "./exit.ts";
import type { Output } from "./output.ts";
import { settingsOf, type Settings } from "./settings.ts";
import { checkArguments, findCommand, splitGlobals, usage, type Found } from "./usage.ts";

export interface Program {
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  contextFor(settings: Settings): Context;
}

/** True when errors, too, are to be JSON: known before the arguments are understood. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).includes("--json");
}

/** Runs one command line to its exit code. Throws nothing: what goes wrong is told, and is the code. */
export async function runProgram(argv: readonly string[], program: Program): Promise<ExitCode> {
  const { output } = program;
  let exit = await dispatch(argv, program).catch((error: unknown) => tellFailure(error, program));
  if (output.trouble !== undefined) {
    // What was done stays done, and its failure is worse than this one.
    const lost = new OpError("unavailable", `Standard output could not be written: ${messageOf(output.trouble)}`);
    const { failureText } = await import("./failure.ts");
    output.message(failureText(lost, { style: output.errorStyle, debug: false }));
    if (exit === DONE || exit === DIFFERENCE) exit = exitOf(lost);
  }
  await output.flush();
  return exit;
}

/** Says what went wrong, in the form that was asked for, and returns the exit code for it. */
export async function tellFailure(error: unknown, { output, environment }: Pick<Program, "output" | "environment">): Promise<ExitCode> {
  const { failureJson, failureText } = await import("./failure.ts");
  const debug = environment.OP_DBUS_LOG === "debug";
  await output.flush();
  if (output.json) await output.result(() => failureJson(error), () => "");
  if (!output.json || debug) output.message(failureText(error, { style: output.errorStyle, debug }));
  await output.flush();
  return exitOf(error);
}

async function dispatch(argv: readonly string[], { output, environment, contextFor }: Program): Promise<ExitCode> {
  const { globals, rest } = splitGlobals(argv);
  const asked = rest[0] === "help";
  const words = asked ? rest.slice(1) : rest;
  const found = findCommand(COMMANDS, globals.version ? ["version"] : words);
  const context = contextFor(settingsOf(globals, environment));
  if (globals.help || asked) {
    const text = await helpFor(found, context);
    await output.result(() => ({ help: text }), () => text);
    return DONE;
  }
  const factory = await found.entry?.load?.();
  if (factory === undefined) {
    if (output.json) throw usage("A command is missing", found.path);
    output.message(await helpFor(found, context));
    return exitOf(usage("A command is missing", found.path));
  }
  const command = factory(context);
  return await command.run(checkArguments(command, found));
}

async function helpFor({ entry, path }: Found, context: Context): Promise<string> {
  const { commandHelp, groupHelp, programHelp } = await import("./help.ts");
  const { style } = context.output;
  if (entry === undefined) return programHelp(style);
  const factory = await entry.load?.();
  return factory === undefined ? groupHelp(entry, path, style) : commandHelp(factory(context), { entry, path }, style);
}
