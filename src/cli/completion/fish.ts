import type { FlagWord, Place } from "./words.ts";

/** A fish script that completes op-dbus. */
export function fishCompletion(places: readonly Place[], plugins: readonly string[]): string {
  const valueFlags = [...new Set(places.flatMap(({ flags }) => flags.flatMap(({ name, value }) => (value === undefined ? [] : [name]))))];
  const groups = places.flatMap(({ path, commands }) => (commands.length > 0 && path !== "" ? [path] : []));
  return `# fish completion for op-dbus; made by: op-dbus completion fish
# True when the words before the cursor name exactly this command.
function __op_dbus_at
  set -l path
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    switch $word
      case ${valueFlags.join(" ")}
        set skip 1
      case '-*'
      case '*'
        if test -z "$path"; or contains -- "$path" ${groups.map(quoted).join(" ")}
          set path (string trim -- "$path $word")
        end
    end
  end
  test "$path" = "$argv[1]"
end
complete -c op-dbus -f
${places.flatMap((place) => placeLines(place, plugins)).join("\n")}
`;
}

function placeLines({ path, commands, flags, positional, choices }: Place, plugins: readonly string[]): string[] {
  const at = `complete -c op-dbus -n ${quoted(`__op_dbus_at ${quoted(path)}`)}`;
  return [
    ...commands.map(({ name, summary }) => `${at} -a ${name} -d ${quoted(summary)}`),
    ...(positional === "file" ? [`${at} -F`] : []),
    ...(choices.length > 0 ? [`${at} -a ${quoted(choices.join(" "))}`] : []),
    ...flags.map((flag) => `${at} -l ${flag.name.slice(2)}${valueOf(flag, plugins)} -d ${quoted(flag.summary)}`),
  ];
}

function valueOf({ value }: FlagWord, plugins: readonly string[]): string {
  if (value === undefined) return "";
  if (value === "file") return " -r -F";
  if (value === "plugin") return ` -x -a ${quoted(plugins.join(" "))}`;
  return Array.isArray(value) ? ` -x -a ${quoted(value.join(" "))}` : " -x";
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
