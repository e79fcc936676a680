import type { FlagWord, Place, Word } from "./words.ts";

/** A zsh function that completes op-dbus, for a folder in $fpath or to be sourced. */
export function zshCompletion(places: readonly Place[], plugins: readonly string[]): string {
  const functions = places.map((place) => functionOf(place, plugins));
  return `#compdef op-dbus
# zsh completion for op-dbus; made by: op-dbus completion zsh
${functions.join("\n")}
if [[ $funcstack[1] == _op-dbus ]]; then _op-dbus "$@"; else compdef _op-dbus op-dbus; fi
`;
}

function functionOf({ path, commands, flags, positional, choices }: Place, plugins: readonly string[]): string {
  const options = flags.map((flag) => `    ${quoted(optionSpec(flag, plugins))}`);
  const name = functionName(path);
  if (commands.length === 0) {
    // A word of which nothing is known must still be declared: after one that is not, zsh completes no flag.
    const words = positional === "file" ? "*:file:_files" : `*:word:(${choices.join(" ")})`;
    return `${name}() {\n  _arguments -s \\\n${[...options, `    ${quoted(words)}`].join(" \\\n")}\n}`;
  }
  const cases = commands.map(({ name: word }) => `        ${word}) ${functionName(path === "" ? word : `${path} ${word}`)} ;;`);
  return `${name}() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(${commands.map((command) => `\n    ${quoted(description(command))}`).join("")}
  )
  _arguments -s -C \\
${options.join(" \\\n")} \\
    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe -t commands command commands ;;
    rest)
      case $line[1] in
${cases.join("\n")}
      esac ;;
  esac
}`;
}

/** The word that "op-dbus plan" completes by is _op-dbus-plan; op-dbus itself _op-dbus. */
function functionName(path: string): string {
  return path === "" ? "_op-dbus" : `_op-dbus-${path.replaceAll(" ", "-")}`;
}

function optionSpec({ name, summary, value }: FlagWord, plugins: readonly string[]): string {
  const about = `[${summary.replaceAll(/[[\]\\:]/g, "\\$&")}]`;
  if (value === undefined) return `${name}${about}`;
  if (value === "file") return `${name}=${about}:file:_files`;
  if (value === "plugin") return `${name}=${about}:plugin:(${plugins.join(" ")})`;
  return Array.isArray(value) ? `${name}=${about}:word:(${value.join(" ")})` : `${name}=${about}:value: `;
}

function description({ name, summary }: Word): string {
  return `${name}:${summary.replaceAll(":", "\\:")}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
