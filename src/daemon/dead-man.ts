import type { BootTime, DeadMan, GuardFiles } from "../core/confirmation.ts";
import { messageOf, OpError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { Bus } from "../protocols/dbus/bus.ts";
import { ManagerUnits, type Property } from "./manager-units.ts";

export interface DeadManOptions {
  /** Gives the work a connection to PID 1 for as long as it takes. */
  use<T>(work: (bus: Bus) => Promise<T>): Promise<T>;
  readonly files: GuardFiles;
  readonly clock: Clock;
  /** The state directory, as an absolute path. */
  readonly root: string;
  /** A D-Bus address that was given instead of the usual one. */
  readonly busAddress: string | undefined;
}

const BOOT_SERVICE = "op-dbus-recover.service";
const DEADLINE_TIMER = "op-dbus-deadline.timer";
const DEADLINE_SERVICE = "op-dbus-deadline.service";
/** A journal that is damaged stays so, and a program that is gone (systemd.exec(5), EXIT_EXEC); anything else is tried again until it is done. */
const NOT_AGAIN = [7, 203];
/** By which Bun would be told to do something else. */
const RUNTIME_VARIABLES = ["BUN_OPTIONS", "BUN_BE_BUN", "BUN_INSPECT", "BUN_INSPECT_PRELOAD"];
/** Paths that systemd takes, and that mean the same after it has written a transient unit down and read it again, as it does when it reloads. */
const SAFE = /^[\p{L}\p{N} _@%+=:,./-]*$/u;
const WHAT = "Take back the change of op-dbus that nobody confirmed";

/**
 * The two guards, by systemd. A service that is enabled, for the next boot: after the bus and OVSDB, whose words it may need, and not after
 * the network, which may be what is to be taken back. And a transient timer for this boot, which no file brings back after it.
 */
export function createDeadMan({ use, files, clock, root, busAddress }: DeadManOptions): DeadMan {
  const environment = busAddress === undefined ? [] : [`DBUS_SYSTEM_BUS_ADDRESS=${busAddress}`];
  const command = [files.program, "recover", "--guard", "--root", root];
  // The timer goes after what it would take away itself, if this is cut short; a new boot has none.
  const disarmBy = async (units: ManagerUnits) => {
    files.sync(await units.disable(BOOT_SERVICE));
    files.removeUnit(BOOT_SERVICE);
    if (await units.isLoaded(BOOT_SERVICE)) await units.reload();
    await units.stop(DEADLINE_TIMER);
    files.removeProgram();
  };
  const unlessRefused = async (work: (units: ManagerUnits) => Promise<void>) => {
    try {
      await use((bus) => work(new ManagerUnits(bus, clock)));
    } catch (cause) {
      const reason = cause instanceof OpError && cause.kind === "unavailable" ? "it needs systemd as PID 1, which takes the change back when nobody confirms it: " : "";
      throw new OpError("refused", `The change cannot be held until it is confirmed: ${reason}${messageOf(cause)}`, { cause });
    }
  };
  return {
    prepare: () =>
      unlessRefused(async (units) => {
        if (!SAFE.test(root)) throw new OpError("refused", `systemd would not run a program below ${root}: only letters, digits, spaces and _@%+=:,./- are safe in its name`);
        await units.stop(DEADLINE_TIMER);
        await units.stop(DEADLINE_SERVICE);
        files.copyProgram();
        files.writeUnit(BOOT_SERVICE, bootUnit(root, command, environment));
        files.sync(await units.enable(BOOT_SERVICE));
        await units.checkLoads(BOOT_SERVICE);
      }),
    arm: (deadline) =>
      unlessRefused(async (units) => {
        await units.startTransient(DEADLINE_TIMER, timerProperties(deadline, clock), { name: DEADLINE_SERVICE, properties: serviceProperties(command, environment) });
        await units.checkLoads(DEADLINE_SERVICE);
      }),
    disarm: () => use((bus) => disarmBy(new ManagerUnits(bus, clock))),
  };
}

function bootUnit(root: string, command: readonly string[], environment: readonly string[]): string {
  return [
    "# Written by op-dbus for a change that waits to be confirmed, and removed when that is decided.",
    "[Unit]",
    `Description=${WHAT}`,
    `RequiresMountsFor=${quoted(root)}`,
    "After=dbus.service ovsdb-server.service openvswitch-switch.service",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=oneshot",
    `ExecStart=${command.map(quoted).join(" ")}`,
    ...environment.map((assignment) => `Environment=${quoted(assignment)}`),
    `UnsetEnvironment=${RUNTIME_VARIABLES.join(" ")}`,
    "Restart=on-failure",
    "RestartSec=2s",
    `RestartPreventExitStatus=${NOT_AGAIN.join(" ")}`,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/**
 * systemd.timer(5): OnActiveSec= is on CLOCK_MONOTONIC, which stands still while the machine sleeps; but the wall clock jumps when it
 * wakes, which OnClockChange= is told of. What then runs too early waits for the deadline, on CLOCK_BOOTTIME.
 */
function timerProperties(deadline: BootTime, clock: Clock): Property[] {
  const leftUs = BigInt(Math.max(1, deadline.ms - clock.bootTime().ms)) * 1000n;
  return [
    ["Description", "s", WHAT],
    ["CollectMode", "s", "inactive-or-failed"],
    ["TimersMonotonic", "a(st)", [["OnActiveSec", leftUs]]],
    ["OnClockChange", "b", true],
    ["AccuracyUSec", "t", 50_000n],
  ];
}

function serviceProperties([path = "", ...args]: readonly string[], environment: readonly string[]): Property[] {
  return [
    ["Description", "s", WHAT],
    ["CollectMode", "s", "inactive-or-failed"],
    ["StartLimitIntervalUSec", "t", 0n],
    ["Type", "s", "oneshot"],
    ["ExecStart", "a(sasb)", [[path, [path, ...args], false]]],
    ["Environment", "as", [...environment]],
    ["UnsetEnvironment", "as", RUNTIME_VARIABLES],
    ["Restart", "s", "on-failure"],
    ["RestartUSec", "t", 2_000_000n],
    ["RestartPreventExitStatus", "(aiai)", [NOT_AGAIN, []]],
  ];
}

/** A word of SAFE characters in a unit file: systemd.unit(5), "Specifiers". */
function quoted(word: string): string {
  return `"${word.replaceAll("%", "%%")}"`;
}
