import type { FlagWord, Place } from "./words.ts";

/** A bash script that completes op-dbus; it starts no program, and needs no bash-completion. */
export function bashCompletion(places: readonly Place[], plugins: readonly string[]): string {
  const groups = places.flatMap(({ path, commands }) => (commands.length > 0 && path !== "" ? [path] : []));
  const valueFlags = new Set(places.flatMap(({ flags }) => flags.flatMap(({ name, value }) => (value === undefined ? [] : [name]))));
  return `# bash completion for op-dbus; made by: op-dbus completion bash
_op_dbus() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev= path= word i
  # "--flag=value" arrives as three words where "=" breaks words.
  if [[ $cur == = ]]; then cur=; prev=\${COMP_WORDS[COMP_CWORD-1]}
  elif (( COMP_CWORD > 1 )) && [[ \${COMP_WORDS[COMP_CWORD-1]} == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  else prev=\${COMP_WORDS[COMP_CWORD-1]}; fi
  for (( i = 1; i < COMP_CWORD; i++ )); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${[...valueFlags].join("|")})
        [[ \${COMP_WORDS[i+1]} == = ]] && (( i++ ))
        (( i++ )) ;;
      -*|=) ;;
      *)
        case $path in
          ""|${groups.map(quoted).join("|")}) path=\${path:+$path }$word ;;
        esac ;;
    esac
  done
  COMPREPLY=()
  case $path in
${places.map((place) => placeCase(place, plugins)).join("\n")}
  esac
}
complete -F _op_dbus op-dbus
`;
}

function placeCase({ path, commands, flags, positional, choices }: Place, plugins: readonly string[]): string {
  const values = flags.filter(({ value }) => value !== undefined);
  const words = [...commands.map(({ name }) => name), ...choices];
  return `    ${quoted(path)})
      case $prev in
${values.map((flag) => `        ${flag.name}) ${valueLine(flag, plugins)}; return ;;`).join("\n")}
      esac
      if [[ $cur == -* ]]; then COMPREPLY=( $(compgen -W ${quoted(flags.map(({ name }) => name).join(" "))} -- "$cur") )
      else ${positional === "file" ? FILES : reply(words)}; fi ;;`;
}

function valueLine({ value }: FlagWord, plugins: readonly string[]): string {
  if (value === "file") return FILES;
  if (value === "plugin") return reply(plugins);
  return Array.isArray(value) ? reply(value as readonly string[]) : ":";
}

// Names with spaces stay whole, and a folder is gone on into.
const FILES = `local IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY=( $(compgen -f -- "$cur") )`;

function reply(words: readonly string[]): string {
  return words.length === 0 ? ":" : `COMPREPLY=( $(compgen -W ${quoted(words.join(" "))} -- "$cur") )`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
