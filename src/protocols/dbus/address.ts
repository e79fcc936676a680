import { OpError } from "../../core/errors.ts";

/**
 * The sockets that a D-Bus address names, in the order to try (D-Bus specification, "Server Addresses"). A leading NUL marks the abstract
 * namespace. Only local sockets are spoken: whatever else is listed is passed over, and an address of nothing else throws kind invalid.
 */
export function socketsOf(address: string): string[] {
  const sockets = address
    .split(";")
    .filter((entry) => entry.startsWith("unix:"))
    .flatMap((entry) => {
      const parameters = new Map(entry.slice("unix:".length).split(",").map(keyAndValue));
      const path = parameters.get("path");
      const abstract = parameters.get("abstract");
      if (path !== undefined) return path.startsWith("/") && !path.includes("\0") ? [path] : [];
      return abstract === undefined || abstract === "" ? [] : [`\0${abstract}`];
    });
  if (sockets.length > 0) return sockets;
  throw new OpError("invalid", `${JSON.stringify(address)} is not a D-Bus address that can be used`, {
    hint: "DBUS_SYSTEM_BUS_ADDRESS looks like unix:path=/run/dbus/system_bus_socket (unix:path= and unix:abstract= are spoken)",
  });
}

/** A socket as people know it; an abstract one with its @. */
export function socketName(socket: string): string {
  return socket.replace(/^\0/, "@");
}

function keyAndValue(parameter: string): [string, string] {
  const [key = "", ...value] = parameter.split("=");
  return [key, unescape(value.join("="))];
}

/** %41 stands for a byte. What does not decode names no socket that exists, and is left to fail by its name. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
