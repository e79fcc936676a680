import { OpError, type ErrorKind } from "../../core/errors.ts";

const TEXT_LIMIT = 1000;

/** What a peer answered instead of a reply. It is the cause of the OpError that `dbusError` makes of it. */
export class DbusErrorReply extends Error {
  /** The error's name on the bus: "org.freedesktop.systemd1.NoSuchUnit". */
  readonly dbusName: string;

  constructor(dbusName: string, message: string) {
    super(message);
    this.name = "DbusErrorReply";
    this.dbusName = dbusName;
  }
}

/** What a D-Bus error name means for op-dbus. A name that is not in the list is the peer's way to say that the call failed. */
export function dbusError(name: string, message: string, operation: string): OpError {
  const kind = kindOf(name);
  const text = message.replace(/\p{Cc}+/gu, " ").trim().replace(/\.$/, "").slice(0, TEXT_LIMIT) || name;
  return new OpError(kind, kind === "unavailable" ? `${operation}: ${text}` : text, {
    operation,
    cause: new DbusErrorReply(name, message),
    retryable: RETRYABLE.has(name),
  });
}

/** The D-Bus name of the error at the root of this one, or undefined where no peer answered with an error. */
export function dbusErrorName(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof DbusErrorReply) return each.dbusName;
  }
  return undefined;
}

/** D-Bus specification, "Error names"; systemd src/libsystemd/sd-bus/bus-common-errors.h. */
const KINDS: Readonly<Record<string, ErrorKind>> = {
  "org.freedesktop.DBus.Error.ServiceUnknown": "unavailable",
  "org.freedesktop.DBus.Error.NameHasNoOwner": "unavailable",
  "org.freedesktop.DBus.Error.NoReply": "unavailable",
  "org.freedesktop.DBus.Error.NoServer": "unavailable",
  "org.freedesktop.DBus.Error.NoNetwork": "unavailable",
  "org.freedesktop.DBus.Error.Disconnected": "unavailable",
  "org.freedesktop.DBus.Error.Timeout": "unavailable",
  "org.freedesktop.DBus.Error.TimedOut": "unavailable",
  "org.freedesktop.DBus.Error.LimitsExceeded": "unavailable",
  "org.freedesktop.systemd1.ShuttingDown": "unavailable",
  "org.freedesktop.DBus.Error.AccessDenied": "refused",
  "org.freedesktop.DBus.Error.AuthFailed": "refused",
  "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": "refused",
  "org.freedesktop.PolicyKit1.Error.NotAuthorized": "refused",
};

/** The bus could not start the service (org.freedesktop.DBus.Error.Spawn.ChildExited and others). */
const SPAWN = "org.freedesktop.DBus.Error.Spawn.";

const RETRYABLE: ReadonlySet<string> = new Set([
  "org.freedesktop.DBus.Error.NoReply",
  "org.freedesktop.DBus.Error.Timeout",
  "org.freedesktop.DBus.Error.TimedOut",
  "org.freedesktop.DBus.Error.LimitsExceeded",
]);

function kindOf(name: string): ErrorKind {
  return name.startsWith(SPAWN) ? "unavailable" : ((Object.hasOwn(KINDS, name) ? KINDS[name] : undefined) ?? "failed");
}
