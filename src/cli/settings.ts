import { OpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { DEFAULT_RETENTION, INTERVALS, type Retention, type SnapshotOptions } from "../store/retention.ts";

export type SettingSource = "flag" | "environment" | "default";

/** One setting, and where its value came from. */
export interface Setting {
  readonly value: string;
  readonly source: SettingSource;
  /** The flag or variable that sets it. */
  readonly by: string;
}

export interface Settings {
  readonly root: Setting;
  readonly stateFile: Setting;
  readonly log: Setting;
  readonly bus: Setting;
  readonly color: Setting;
  readonly snapshotInterval: Setting;
  readonly retention: Readonly<Record<keyof Retention, Setting>>;
}

/** Flags that every command takes. */
export interface Globals {
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
  readonly root: string | undefined;
  readonly stateFile: string | undefined;
}

export const DEFAULT_ROOT = "/var/lib/op-dbus";
export const DEFAULT_STATE_FILE = "/etc/op-dbus/state.json";

type Environment = Readonly<Record<string, string | undefined>>;

/** A flag beats the environment, which beats the default. A variable set to nothing counts as not set. */
export function settingsOf(globals: Pick<Globals, "root" | "stateFile">, environment: Environment): Settings {
  const from = (flag: string | undefined, [flagName, variable]: readonly [string, string], standard: string): Setting => {
    const set = environment[variable];
    if (flag !== undefined) return { value: flag, source: "flag", by: flagName };
    if (set !== undefined && set !== "") return { value: set, source: "environment", by: variable };
    return { value: standard, source: "default", by: flagName === "" ? variable : `${flagName}, ${variable}` };
  };
  const variable = (name: string, standard: string) => from(undefined, ["", name], standard);
  return {
    root: from(globals.root, ["--root", "OP_DBUS_ROOT"], DEFAULT_ROOT),
    stateFile: from(globals.stateFile, ["--state-file", "OP_DBUS_STATE_FILE"], DEFAULT_STATE_FILE),
    log: variable("OP_DBUS_LOG", "info"),
    bus: variable("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket"),
    color: variable("NO_COLOR", "on a terminal"),
    snapshotInterval: variable("OPDBUS_SNAPSHOT_INTERVAL", "every-15-minutes"),
    retention: {
      hourly: variable("OPDBUS_RETAIN_HOURLY", `${DEFAULT_RETENTION.hourly}`),
      daily: variable("OPDBUS_RETAIN_DAILY", `${DEFAULT_RETENTION.daily}`),
      weekly: variable("OPDBUS_RETAIN_WEEKLY", `${DEFAULT_RETENTION.weekly}`),
      quarterly: variable("OPDBUS_RETAIN_QUARTERLY", `${DEFAULT_RETENTION.quarterly}`),
    },
  };
}

/** When snapshots are taken and which are kept. Throws kind invalid for a setting that says neither. */
export function snapshotOptionsOf({ snapshotInterval, retention }: Pick<Settings, "snapshotInterval" | "retention">): SnapshotOptions {
  const intervals: Readonly<Record<string, number>> = INTERVALS;
  const intervalMs = Object.hasOwn(intervals, snapshotInterval.value) ? intervals[snapshotInterval.value] : undefined;
  if (intervalMs === undefined) throw badSetting(snapshotInterval, `one of ${Object.keys(INTERVALS).join(", ")}`);
  const counts = Object.entries(retention).map(([length, setting]) => {
    if (!/^\d{1,4}$/.test(setting.value)) throw badSetting(setting, "a number from 0 to 9999");
    return [length, Number(setting.value)] as const;
  });
  return { intervalMs, retention: Object.fromEntries(counts) as unknown as Retention };
}

function badSetting({ by, value }: Setting, allowed: string): OpError {
  return new OpError("invalid", `${by} is '${value}', allowed is ${allowed}`);
}

/** The settings under the names that people know them by. */
export function namedSettings(settings: Settings): readonly (readonly [string, Setting])[] {
  return [
    ["state directory", settings.root],
    ["state file", settings.stateFile],
    ["log level", settings.log],
    ["system bus", settings.bus],
    ["colour", settings.color],
    ["snapshot interval", settings.snapshotInterval],
    ...Object.entries(settings.retention).map(([length, setting]) => [`${length} snapshots kept`, setting] as const),
  ];
}

export function settingsJson(settings: Settings): JsonObject {
  return Object.fromEntries(
    namedSettings(settings).map(([name, { value, source, by }]) => [name.replaceAll(" ", "_"), { value, source, by }]),
  );
}
