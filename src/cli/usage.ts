import { OpError } from "../core/errors.ts";
import { nearest } from "../core/suggestion.ts";
import type { Arg, Command, Entry } from "./command.ts";
import type { Globals } from "./settings.ts";

/** Flags that any command takes, anywhere on its line. */
export const GLOBAL_FLAGS = [
  { name: "json", value: undefined, description: "one JSON document on standard output, nothing else there" },
  { name: "root", value: "DIR", description: "state directory (OP_DBUS_ROOT)" },
  { name: "state-file", value: "FILE", description: "state file, where STATE is not given (OP_DBUS_STATE_FILE)" },
  { name: "help", value: undefined, description: "this text" },
  { name: "version", value: undefined, description: "the version" },
] as const;

const PROGRAM = "op-dbus";

/** Takes the global flags out of the arguments; after "--" there are none. */
export function splitGlobals(argv: readonly string[]): { globals: Globals; rest: string[] } {
  const rest: string[] = [];
  const given = new Map<string, string | true>();
  const queue = [...argv];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") {
      rest.push(word, ...queue);
      break;
    }
    const [name, inline] = flagOf(word === "-h" ? "--help" : word);
    const flag = word.startsWith("-") ? GLOBAL_FLAGS.find((candidate) => candidate.name === name) : undefined;
    if (flag === undefined) rest.push(word);
    else if (flag.value === undefined) given.set(flag.name, withoutValue(flag.name, inline));
    else given.set(flag.name, once(given, flag.name, inline ?? takeValue(queue, flag.name, flag.value)));
  }
  const text = (name: string) => given.get(name) as string | undefined;
  const set = (name: string) => given.has(name);
  const globals: Globals = {
    json: set("json"),
    help: set("help"),
    version: set("version"),
    root: text("root"),
    stateFile: text("state-file"),
  };
  return { globals, rest };
}

export interface Found {
  readonly entry: Entry | undefined;
  /** "op-dbus checkpoint create". */
  readonly path: string;
  readonly rest: readonly string[];
}

/** The command that the words name. A group without a command after it is found as the group. */
export function findCommand(entries: readonly Entry[], words: readonly string[]): Found {
  let found: Found = { entry: undefined, path: PROGRAM, rest: words };
  for (let choices: readonly Entry[] | undefined = entries; choices !== undefined; choices = found.entry?.sub) {
    const [word, ...rest] = found.rest;
    if (word === undefined) return found;
    if (word.startsWith("-")) {
      const subject = found.entry === undefined ? "before the command" : `for ${found.path}`;
      throw usage(`Unknown flag '${word}' ${subject}`, found.path, nearest(word, GLOBAL_FLAGS.map(({ name }) => `--${name}`)));
    }
    const entry = choices.find(({ name, aliases }) => name === word || aliases?.includes(word));
    if (entry === undefined) {
      const near = nearest(word, choices.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]));
      throw usage(`Unknown command '${[found.path, word].join(" ").slice(PROGRAM.length + 1)}'`, found.path, near);
    }
    found = { entry, path: `${found.path} ${word}`, rest };
  }
  return found;
}

/** Refuses what the command does not take, and returns the arguments in a form that cannot be misread: flags, "--", words. */
export function checkArguments({ args }: Pick<Command, "args">, { path, rest }: Pick<Found, "path" | "rest">): string[] {
  const given = new Map<string, string | true>();
  const words: string[] = [];
  const queue = [...rest];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") words.push(...queue.splice(0));
    else if (word === "-" || !word.startsWith("-")) words.push(word);
    else {
      const [name, inline] = flagOf(word);
      const arg = Object.hasOwn(args, name) ? args[name] : undefined;
      if (arg === undefined || arg.type === "positional" || !word.startsWith("--")) throw unknownFlag(word, args, path);
      if (arg.type === "boolean") given.set(name, withoutValue(name, inline));
      else given.set(name, once(given, name, inline ?? takeValue(queue, name, arg.value)));
    }
  }
  const positionals = Object.values(args).filter((arg) => arg.type === "positional");
  const extra = words[positionals.length];
  if (extra !== undefined) throw usage(`Unexpected '${extra}'`, path);
  const missing = positionals.slice(words.length).find(({ required }) => required);
  if (missing !== undefined) throw usage(`Missing ${missing.value}`, path);
  for (const [index, word] of words.entries()) checkAllowed(positionals[index], positionals[index]?.value ?? "", word, path);
  for (const [name, value] of given) if (value !== true) checkAllowed(args[name], `--${name}`, value, path);
  return [...given].map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`)).concat("--", words);
}

/** Bad usage: exit 2, and where to read how it is done. */
export function usage(message: string, path: string, near?: string): OpError {
  const help = `See: ${path} --help`;
  return new OpError("invalid", message, { hint: near === undefined ? help : `Did you mean '${near}'? ${help}` });
}

function flagOf(word: string): [name: string, inline: string | undefined] {
  if (!word.startsWith("--")) return [word, undefined];
  const equals = word.indexOf("=");
  return equals < 0 ? [word.slice(2), undefined] : [word.slice(2, equals), word.slice(equals + 1)];
}

function withoutValue(name: string, inline: string | undefined): true {
  if (inline !== undefined) throw new OpError("invalid", `--${name} takes no value`);
  return true;
}

function takeValue(queue: string[], name: string, value: string): string {
  const [next] = queue;
  if (next === undefined || (next.startsWith("-") && next !== "-")) {
    throw new OpError("invalid", `--${name} needs a value: --${name} ${value}`);
  }
  queue.shift();
  return next;
}

function once(given: ReadonlyMap<string, unknown>, name: string, value: string): string {
  if (given.has(name)) throw new OpError("invalid", `--${name} is given twice`);
  if (value === "") throw new OpError("invalid", `--${name} is empty`);
  return value;
}

function unknownFlag(word: string, args: Command["args"], path: string): OpError {
  const flags = Object.entries(args).flatMap(([name, { type }]) => (type === "positional" ? [] : [`--${name}`]));
  const [bare = word] = word.split("=");
  return usage(`Unknown flag '${bare}'`, path, nearest(bare, [...flags, ...GLOBAL_FLAGS.map(({ name }) => `--${name}`)]));
}

function checkAllowed(arg: Arg | undefined, name: string, value: string, path: string): void {
  if (arg === undefined || arg.type === "boolean" || arg.allowed === undefined || arg.allowed.includes(value)) return;
  const near = nearest(value, arg.allowed);
  throw usage(`${name} is '${value}', allowed: ${arg.allowed.join(", ")}`, path, near);
}
