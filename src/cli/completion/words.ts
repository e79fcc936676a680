import type { Args, Completed, Entry } from "../command.ts";
import type { Context } from "../context.ts";
import { GLOBAL_FLAGS } from "../usage.ts";

/** What can come after "op-dbus" and the words of one command or group. */
export interface Place {
  /** "", "plan", "checkpoint create"; also under each alias. */
  readonly path: string;
  /** Commands that can come next, with what they do. */
  readonly commands: readonly Word[];
  readonly flags: readonly FlagWord[];
  /** What the command's first word is, and the words allowed there. */
  readonly positional: Completed | undefined;
  readonly choices: readonly string[];
}

export interface Word {
  readonly name: string;
  readonly summary: string;
}

export interface FlagWord extends Word {
  /** What comes after it: nothing, one of some words, a file, a plugin, or anything. */
  readonly value: undefined | readonly string[] | Completed | "any";
}

/** Every place in the command tree, from the same definitions that are run. */
export async function placesOf(commands: readonly Entry[], context: Context): Promise<Place[]> {
  return [place("", commands, {}), ...(await walk(context, commands, ""))];
}

async function walk(context: Context, entries: readonly Entry[], above: string): Promise<Place[]> {
  const places = entries.map(async (entry) => {
    const names = [entry.name, ...(entry.aliases ?? [])].map((name) => `${above}${name}`);
    const args = entry.load === undefined ? {} : (await entry.load())(context).args;
    const below = entry.sub === undefined ? [] : await Promise.all(names.map((name) => walk(context, entry.sub ?? [], `${name} `)));
    return [...names.map((name) => place(name, entry.sub ?? [], args)), ...below.flat()];
  });
  return (await Promise.all(places)).flat();
}

function place(path: string, entries: readonly Entry[], args: Args): Place {
  const own = Object.entries(args).flatMap(([name, arg]): FlagWord[] => {
    if (arg.type === "positional") return [];
    const value = arg.type === "boolean" ? undefined : (arg.allowed ?? arg.complete ?? "any");
    return [{ name: `--${name}`, summary: arg.description, value }];
  });
  const shared = GLOBAL_FLAGS.map(({ name, value, description }): FlagWord => ({ name: `--${name}`, summary: description, value: value === undefined ? undefined : "file" }));
  const positional = Object.values(args).find((arg) => arg.type === "positional");
  return {
    path,
    commands: entries.flatMap(({ name, aliases = [], summary }) => [name, ...aliases].map((word) => ({ name: word, summary }))),
    flags: [...own, ...shared],
    positional: positional?.complete,
    choices: positional?.allowed ?? [],
  };
}
