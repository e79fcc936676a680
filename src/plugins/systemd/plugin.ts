import type { Json, JsonObject } from "../../core/json.ts";
import { isObject } from "../../core/json.ts";
import type { AdoptedKey, Plugin, Progress, ResourceReading, Step, StepOutcome } from "../../core/plugin.ts";
import type { Clock, ConfigFile, Operator, UnitLog } from "../../core/ports.ts";
import type { Resource, Resources } from "../../core/resource.ts";
import type { Bus } from "../../protocols/dbus/bus.ts";
import { controlDropIn } from "./drop-in.ts";
import { runJobs } from "./jobs.ts";
import { Manager } from "./manager.ts";
import { planUnits } from "./plan.ts";
import { propertyAddress, toVariant } from "./properties.ts";
import type { Sources, UnitFacts } from "./facts.ts";
import { readAllUnits, readUnits } from "./reading.ts";
import { systemdSchema } from "./schema.ts";
import { ONE_WAY, type Call } from "./steps.ts";

export interface SystemdOptions {
  readonly bus: Bus;
  readonly configFiles: ConfigFile;
  readonly operator: Operator;
  readonly unitLog: UnitLog;
  readonly clock: Clock;
}

/** systemd's units, over D-Bus: running or not, enabled, masked, and their resource properties. */
export function createSystemdPlugin({ bus, configFiles, operator, unitLog, clock }: SystemdOptions): Plugin {
  const manager = new Manager(bus);
  const sources: Sources = { manager, configFiles, operator };
  return {
    name: "systemd",
    schema: systemdSchema,
    lists: { units: "members" },
    policies: ["restart"],
    oneWay: ONE_WAY,
    resources: unitsOf,
    section: (resources) => ({ units: resources }),
    locate: (_, resource, path) => ["units", resource, ...path],
    read: (scope) => (scope === undefined ? readAllUnits(sources) : readUnits(scope, sources)),
    plan: planUnits,
    apply: (step, progress) => applyStep(step, progress),
    adopt: adoptedKeys,
  };

  async function applyStep(step: Step, progress: Progress): Promise<StepOutcome> {
    const call = step.call as unknown as Call;
    if (call.do === "jobs") {
      const known = new Set(step.actions.map(({ resource }) => resource));
      return { effects: await runJobs({ ...call, known }, { manager, unitLog, clock }, progress) };
    }
    if (call.do === "properties") await setProperties(call);
    else await changeFiles(call);
    for (const { resource, verb } of step.actions) progress.done(resource, verb);
    return { effects: [] };
  }

  /** Unmasked before enabled, disabled before enabled, masked last; one Reload for all. systemd itself syncs nothing of what it writes. */
  async function changeFiles({ unmask, disable, enable, mask, remove }: Extract<Call, { do: "files" }>): Promise<void> {
    const changed = [...(await manager.unmask(unmask)), ...(await manager.disable(disable)), ...(await manager.enable(enable)), ...(await manager.mask(mask))];
    configFiles.sync(changed);
    for (const path of remove) configFiles.remove(path);
    await manager.reload();
  }

  async function setProperties({ units }: Extract<Call, { do: "properties" }>): Promise<void> {
    await Promise.all(
      Object.entries(units).map(([unit, properties]) => {
        const variants = Object.entries(properties).map(([name, value]) => [propertyAddress(unit, name).property, toVariant(name, value)] as const);
        return manager.setProperties(unit, variants);
      }),
    );
    configFiles.sync(Object.entries(units).flatMap(([unit, properties]) => Object.keys(properties).map((name) => controlDropIn(unit, name))));
  }
}

function unitsOf(section: Json): Resources {
  const units = isObject(section) && isObject(section.units) ? section.units : {};
  return Object.fromEntries(Object.entries(units).map(([name, unit]) => [name, withoutObserved(unit as Resource)]));
}

function withoutObserved({ observed: _, ...declared }: JsonObject): Resource {
  return declared;
}

/** Drop-ins of SetUnitProperties are all that op-dbus can take charge of: units themselves are not its making. */
function adoptedKeys({ state, facts }: ResourceReading): AdoptedKey[] {
  const { dropIns } = facts as unknown as UnitFacts;
  const properties = isObject(state.properties) ? state.properties : {};
  return (dropIns?.set ?? []).map((name) => ({ path: ["properties", name], value: properties[name] ?? null, original: null }));
}
