import { localOf } from "../../protocols/netlink/address.ts";
import type { Network } from "./network.ts";
import { routeName } from "./route-name.ts";
import type { Operation, RouteOperation } from "./steps.ts";

/** Whether an operation's end is reached. Of settings that is not asked: setting them again does no harm. */
export function isDone(operation: Operation, network: Network): boolean {
  switch (operation.do) {
    case "create":
      return network.links.get(operation.name)?.linkInfo?.kind === operation.type;
    case "set":
    case "vlans":
    case "set route":
      return false;
    case "join":
      return masterOf(operation.port, network) === operation.master;
    case "leave":
      return masterOf(operation.port, network) !== operation.master;
    case "remove":
      return !network.links.has(operation.name);
    case "add address":
      return hasAddress(operation.dev, operation.address, network);
    case "remove address":
      return !hasAddress(operation.dev, operation.address, network);
    case "remove route":
      return !hasRoute(operation, network);
  }
}

function masterOf(port: string, network: Network): string | undefined {
  return network.name(network.links.get(port)?.master);
}

function hasAddress(dev: string, text: string, network: Network): boolean {
  const link = network.links.get(dev);
  const [ip, prefix] = text.split("/");
  return link !== undefined && network.addresses(link).some((address) => localOf(address) === ip && address.prefixLength === Number(prefix));
}

function hasRoute({ via, dev, ...key }: RouteOperation, network: Network): boolean {
  const route = network.routes.get(routeName(key));
  return route !== undefined && (via === undefined || route.gateway === via) && (dev === undefined || network.name(route.outIndex) === dev);
}
