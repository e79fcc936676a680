import type { Call } from "./bus.ts";

/**
 * The D-Bus methods that change nothing, by interface: the one list of them (DESIGN.md, Reads). Anything else is a write.
 * A method belongs here when calling it at any time, any number of times, leaves the host as it was.
 */
const READS: Readonly<Record<string, readonly string[]>> = {
  "org.freedesktop.DBus.Properties": ["Get", "GetAll"],
  "org.freedesktop.DBus.Introspectable": ["Introspect"],
  "org.freedesktop.DBus.ObjectManager": ["GetManagedObjects"],
  "org.freedesktop.DBus.Peer": ["Ping", "GetMachineId"],
  // AddMatch and RemoveMatch change only which signals this connection is sent.
  "org.freedesktop.DBus": [
    ...["Hello", "AddMatch", "RemoveMatch", "GetId"],
    ...["GetNameOwner", "NameHasOwner", "ListNames", "ListActivatableNames", "ListQueuedOwners"],
    ...["GetConnectionUnixUser", "GetConnectionUnixProcessID", "GetConnectionCredentials"],
  ],
  // org.freedesktop.systemd1(5). GetUnit does not load a unit; LoadUnit and the List...ByNames do, into PID 1's memory, and it is let go
  // again: nothing of the unit or on the disk changes. Subscribe changes only which signals are sent.
  "org.freedesktop.systemd1.Manager": [
    ...["GetUnit", "GetUnitByPID", "GetUnitByInvocationID", "GetUnitByControlGroup", "LoadUnit"],
    ...["ListUnits", "ListUnitsFiltered", "ListUnitsByPatterns", "ListUnitsByNames"],
    ...["ListUnitFiles", "ListUnitFilesByPatterns", "GetUnitFileState", "GetUnitFileLinks", "GetDefaultTarget"],
    ...["GetJob", "GetJobAfter", "GetJobBefore", "ListJobs"],
    ...["GetUnitProcesses", "GetDynamicUsers", "LookupDynamicUserByName", "LookupDynamicUserByUID"],
    ...["Subscribe", "Unsubscribe"],
  ],
  // Keeps the unit in PID 1's memory until Unref or the end of the connection, and changes nothing of it.
  "org.freedesktop.systemd1.Unit": ["Ref", "Unref"],
  "org.freedesktop.systemd1.Job": ["GetAfter", "GetBefore"],
  ...Object.fromEntries(
    ["Mount", "Scope", "Service", "Slice", "Socket", "Swap"].map((kind) => [`org.freedesktop.systemd1.${kind}`, ["GetProcesses"]]),
  ),
  "org.freedesktop.login1.Manager": [
    ...["ListSessions", "ListSessionsEx", "ListUsers", "ListSeats", "ListInhibitors"],
    ...["GetSession", "GetSessionByPID", "GetUser", "GetUserByPID", "GetSeat"],
  ],
};

/** Whether the call is known to change nothing. */
export function isRead(call: Pick<Call, "interface" | "member">): boolean {
  return Object.hasOwn(READS, call.interface) && READS[call.interface]?.includes(call.member) === true;
}
