import { checkAll, type Check, type Verdict } from "../checks.ts";
import { command, type CommandFactory } from "../command.ts";
import { DONE } from "../exit.ts";
import type { Style, Tone } from "../output.ts";
import { counted, padEnd, printable, wrap } from "../printable.ts";
import { namedSettings, settingsJson, type Settings } from "../settings.ts";

const TONES: Readonly<Record<Verdict, Tone>> = { ok: "green", warn: "yellow", fail: "red" };

export const doctorCommand: CommandFactory = (context) =>
  command({
    args: {},
    about: "Checks that op-dbus has what it needs, says what to do where it has not, and prints each setting with where it came from. Changes nothing.",
    example: "op-dbus doctor",
    exits: [0, 1, 2, 8],
    async run() {
      const checks = await checkAll(context);
      const failed = checks.filter(({ verdict }) => verdict === "fail");
      const { style } = context.output;
      await context.output.result(
        () => ({ ok: failed.length === 0, checks: checks.map((check) => ({ ...check })), settings: settingsJson(context.settings) }),
        () =>
          [
            ...checks.flatMap((check) => checkLines(check, style)),
            "",
            style.paint("bold", "Settings"),
            ...settingLines(context.settings, style),
            "",
            failed.length === 0 ? "op-dbus has what it needs" : `${counted(failed.length, "check")} failed`,
          ].join("\n"),
      );
      return failed.length === 0 ? DONE : 8;
    },
  });

function checkLines({ name, verdict, found, advice }: Check, style: Style): string[] {
  const [hang, mark] = [" ".repeat(26), padEnd(verdict, 4)];
  const [first = "", ...rest] = wrap(printable(found), style.width, `${mark}  ${padEnd(name, 19)} `, hang);
  const advised = advice === undefined ? [] : wrap(`-> ${printable(advice)}`, style.width, hang, `${hang}   `);
  return [style.paint(TONES[verdict], mark) + first.slice(mark.length), ...rest, ...advised];
}

function settingLines(settings: Settings, { width }: Style): string[] {
  const hang = " ".repeat(26);
  return namedSettings(settings).flatMap(([name, { value, source, by }]) => {
    const from = source === "default" ? `default, set by ${by}` : `${source}, ${by}`;
    return wrap(`${printable(value)} (${from})`, width, `      ${padEnd(name, 19)} `, hang);
  });
}
