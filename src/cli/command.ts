import { defineCommand, runCommand } from "citty";
import type { Context } from "./context.ts";
import type { ExitCode } from "./exit.ts";

/** What a value is, so that a shell can complete it. */
export type Completed = "file" | "plugin";

interface Described {
  readonly description: string;
}

export interface FlagArg extends Described {
  readonly type: "boolean";
}

export interface ValueArg extends Described {
  readonly type: "string";
  /** The value's name in help: PLAN, N. */
  readonly value: string;
  readonly allowed?: readonly string[];
  readonly complete?: Completed;
}

export interface PositionalArg extends Described {
  readonly type: "positional";
  readonly value: string;
  readonly required: boolean;
  readonly allowed?: readonly string[];
  readonly complete?: Completed;
}

export type Arg = FlagArg | ValueArg | PositionalArg;
export type Args = Readonly<Record<string, Arg>>;

/** The values that a command's arguments were given. */
export type Values<T extends Args> = {
  readonly [K in keyof T]: T[K]["type"] extends "boolean" ? boolean : T[K] extends { required: true } ? string : string | undefined;
};

interface CommandShape<T extends Args> extends Manual {
  readonly args: T;
  run(values: Values<T>): Promise<ExitCode>;
}

/** What a command's help says besides its arguments. */
export interface Manual {
  /** One or two sentences, wrapped when shown. */
  readonly about: string;
  readonly example: string;
  readonly exits: readonly ExitCode[];
}

/** A command with its arguments' types closed over. */
export interface Command extends Manual {
  readonly args: Args;
  /** `rawArgs` passed `checkArguments`; citty by itself lets unknown flags and extra words through. */
  run(rawArgs: string[]): Promise<ExitCode>;
}

export type CommandFactory = (context: Context) => Command;

/** A command's name and where it is written; a group has `sub` and no `load`. */
export interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly aliases?: readonly string[];
  readonly sub?: readonly Entry[];
  /** Loads what the command needs, and only that. */
  load?(): Promise<CommandFactory>;
}

/** Closes a command over its arguments' types, and has citty parse them. */
export function command<const T extends Args>({ run, ...shape }: CommandShape<T>): Command {
  return {
    ...shape,
    async run(rawArgs) {
      let exit: ExitCode | undefined;
      const definition = defineCommand({
        args: Object.fromEntries(Object.entries<Arg>(shape.args).map(([name, arg]) => [name, cittyArg(arg)])),
        async run({ args }) {
          exit = await run(valuesOf(shape.args, args));
        },
      });
      await runCommand(definition, { rawArgs });
      return exit ?? 0;
    },
  };
}

function cittyArg(arg: Arg) {
  if (arg.type === "positional") return { type: "positional", required: arg.required } as const;
  return { type: arg.type } as const;
}

function valuesOf<T extends Args>(args: T, given: Readonly<Record<string, unknown>>): Values<T> {
  const entries = Object.entries<Arg>(args).map(([name, { type }]) => [name, type === "boolean" ? given[name] === true : given[name]]);
  return Object.fromEntries(entries) as Values<T>;
}
