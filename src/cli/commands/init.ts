import { DocumentError, type StateDocument } from "../../core/document.ts";
import { OpError } from "../../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { actionsOf } from "../../core/plan.ts";
import type { Engine } from "../../engine/engine.ts";
import { command, type CommandFactory } from "../command.ts";
import type { Context } from "../context.ts";
import { DONE } from "../exit.ts";
import { columns, counted, wrap } from "../printable.ts";
import { sourced } from "../source.ts";

type Units = Readonly<Record<string, JsonObject>>;

export const initCommand: CommandFactory = (context) =>
  command({
    args: {},
    about:
      "Makes the state directory and writes a starter state file from what is there: the enabled services, with their present state. Applying it as it is changes nothing. " +
      "An existing state file is never written over.",
    example: "op-dbus init --state-file state.json",
    exits: [0, 1, 2, 6, 8],
    async run() {
      const path = context.settings.stateFile.value;
      if (context.files.exists(path)) throw new OpError("refused", `${path} exists already; init does not write over it`, { hint: "Another place: op-dbus init --state-file FILE" });
      await using session = await context.open("read");
      const units = await starterUnits(session.engine);
      const document: StateDocument = { version: 1, plugins: { systemd: { units } } };
      await context.makeHome();
      context.files.write(path, `${JSON.stringify(document, null, 2)}\n`, { replace: false });
      const count = Object.keys(units).length;
      await context.output.result(
        () => ({ state_file: path, state_directory: context.settings.root.value, units: count }),
        () => nextSteps(path, count, context),
      );
      return DONE;
    },
  });

/** Enabled services with the state they rest in, without those that could not be declared so. */
async function starterUnits(engine: Engine): Promise<Units> {
  const { document, failures } = await engine.query("systemd");
  for (const error of Object.values(failures)) throw error;
  const found = document.plugins.systemd;
  const all = isObject(found) && isObject(found.units) ? Object.entries(found.units) : [];
  const starter = all.filter(([name, unit]) => name.endsWith(".service") && isObject(unit) && unit.enabled === true);
  return await settled(engine, Object.fromEntries(starter.map(([name, unit]) => [name, starterUnit(unit)])));
}

/** A service that does not run now may well run later: only what does run is declared to. */
function starterUnit(unit: Json): JsonObject {
  const running = isObject(unit) && unit.active_state === "active";
  return { ...(running ? { active_state: "active" } : {}), enabled: true };
}

/** The starter without what planning it would refuse or change: it must plan to nothing. */
async function settled(engine: Engine, units: Units): Promise<Units> {
  const { plugins } = engine.host;
  const source = sourced({ version: 1, plugins: { systemd: { units } } }, "the starter", plugins);
  const trouble = new Set<string>();
  try {
    const { steps } = await engine.plan(source, { plugin: undefined, prune: false });
    for (const { resource } of actionsOf(steps)) trouble.add(resource);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    for (const { path } of error.diagnostics) trouble.add(String(path[3]));
  }
  if (trouble.size === 0) return units;
  const left = Object.entries(units).filter(([name]) => !trouble.has(name));
  // Each round leaves fewer units, so this ends; an action on a unit that is not in the starter is implied by one that is.
  if (left.length === Object.keys(units).length) throw new OpError("internal", "The starter does not settle", { details: [...trouble] });
  return await settled(engine, Object.fromEntries(left));
}

function nextSteps(path: string, count: number, { settings, output }: Context): string {
  const named = settings.stateFile.source === "default" ? "" : ` ${path}`;
  const steps = [
    [`op-dbus plan${named}`, "shows what an apply would change: now nothing"],
    [`op-dbus apply${named}`, "brings about what you declared, after asking"],
    ["op-dbus rollback", "takes it back"],
  ];
  return [
    ...wrap(`Wrote ${path} with ${counted(count, "enabled service")}. The state directory is ${settings.root.value}.`, output.style.width),
    "",
    "Edit it to say what this host is to be, then:",
    ...columns(steps).map((line) => `  ${line}`),
  ].join("\n");
}
