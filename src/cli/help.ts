import type { Command, Entry } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT_MEANINGS, type ExitCode } from "./exit.ts";
import type { Style } from "./output.ts";
import { padEnd, wrap } from "./printable.ts";
import { GLOBAL_FLAGS } from "./usage.ts";

/** Help fits any terminal there is. */
const WIDTH = 80;

/** Help for the program as a whole. */
export function programHelp({ paint }: Style): string {
  return [
    "op-dbus brings this host to a declared state, and can take it back.",
    "",
    `${paint("bold", "Usage:")} op-dbus COMMAND [...]`,
    "",
    paint("bold", "Commands:"),
    ...entryLines(COMMANDS),
    "",
    paint("bold", "Flags of every command:"),
    ...globalLines(),
    "",
    `${paint("bold", "Example:")} op-dbus plan state.json`,
    "",
    paint("bold", "Exit codes:"),
    ...exitLines([0, 1, 2, 3, 4, 5, 6, 7, 8]),
  ].join("\n");
}

export function groupHelp({ summary, sub = [] }: Entry, path: string, { paint }: Style): string {
  return [
    `${sentence(summary)}.`,
    "",
    `${paint("bold", "Usage:")} ${path} COMMAND [...]`,
    "",
    paint("bold", "Commands:"),
    ...entryLines(sub),
    "",
    `${paint("bold", "Example:")} ${path} ${sub[0]?.name ?? ""}`,
    "",
    paint("bold", "Exit codes:"),
    ...exitLines([0, 1, 2]),
    `  more in: ${path} COMMAND --help`,
  ].join("\n");
}

export function commandHelp(command: Command, { entry, path }: { entry: Entry; path: string }, { paint }: Style): string {
  const args = Object.entries(command.args);
  const words = args.flatMap(([, arg]) => (arg.type === "positional" ? [{ left: arg.value, arg }] : []));
  const flags = args.flatMap(([name, arg]) => {
    if (arg.type === "positional") return [];
    return [{ left: arg.type === "boolean" ? `--${name}` : `--${name} ${arg.value}`, arg }];
  });
  const parts = [
    ...words.map(({ left, arg }) => (arg.required ? left : `[${left}]`)),
    ...flags.map(({ left }) => `[${left}]`),
  ];
  const lines = ({ left, arg }: { left: string; arg: { description: string } }) => item(left, arg.description);
  return [
    `${sentence(entry.summary)}.`,
    "",
    ...usageLines(path, parts, paint("bold", "Usage:")),
    ...(entry.aliases === undefined ? [] : [`       also as: ${entry.aliases.join(", ")}`]),
    "",
    ...wrap(command.about, WIDTH),
    "",
    ...section(paint("bold", "Arguments:"), words.flatMap(lines)),
    ...section(paint("bold", "Flags:"), flags.flatMap(lines)),
    ...section(paint("bold", "Flags of every command:"), globalLines()),
    `${paint("bold", "Example:")} ${command.example}`,
    "",
    paint("bold", "Exit codes:"),
    ...exitLines(command.exits),
  ].join("\n");
}

/** A flag and its value stay on one line. */
function usageLines(path: string, parts: readonly string[], title: string): string[] {
  const lines: string[] = [];
  let line = `Usage: ${path}`;
  for (const part of parts) {
    if (`${line} ${part}`.length > WIDTH) {
      lines.push(line);
      line = `      ${" ".repeat(path.length)}`;
    }
    line += ` ${part}`;
  }
  return [...lines, line].map((text, index) => (index === 0 ? text.replace("Usage:", title) : text));
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines, ""];
}

function entryLines(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ name, aliases = [], summary }) => item([name, ...aliases].join(", "), summary));
}

function globalLines(): string[] {
  return GLOBAL_FLAGS.flatMap(({ name, value, description }) => item(value === undefined ? `--${name}` : `--${name} ${value}`, description));
}

function exitLines(codes: readonly ExitCode[]): string[] {
  return codes.flatMap((code) => item(String(code), EXIT_MEANINGS[code], 3));
}

function item(left: string, right: string, width = 20): string[] {
  return wrap(right, WIDTH, `  ${padEnd(left, width - 1)} `, " ".repeat(width + 2));
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
