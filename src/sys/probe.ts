import { isIP } from "node:net";
import type { Probe } from "../core/confirmation.ts";
import { messageOf, OpError } from "../core/errors.ts";
import { defaultGateway, interfaceNumber } from "./gateway.ts";
import type { EchoPlace } from "./native/echo.ts";

const TCP = /^tcp:(?:\[([^\]]+)\]|([^:[\]/\s]+)):(\d{1,5})$/;
const PING = /^ping:([^%]+)(?:%(.+))?$/;

/**
 * "tcp:HOST:PORT" succeeds when somebody accepts a connection there, "ping:ADDRESS" when it answers an ICMP echo, "gateway" when the
 * default route's does. Throws kind invalid for what is no probe.
 */
export function openProbe(name: string): Probe {
  const attempt = name === "gateway" ? gatewayAnswers : (tcpProbe(name) ?? pingProbe(name));
  if (attempt === undefined) throw new OpError("invalid", `'${name}' is no probe`, { hint: "--probe tcp:HOST:PORT (an IPv6 address in brackets), ping:ADDRESS or gateway" });
  return { name, attempt };
}

function tcpProbe(name: string): Probe["attempt"] | undefined {
  const [, address, host = address, digits] = TCP.exec(name) ?? [];
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65535) || (address !== undefined && isIP(address) !== 6)) return undefined;
  return (timeoutMs) => connects(host, port, timeoutMs);
}

function pingProbe(name: string): Probe["attempt"] | undefined {
  const [, address = "", device] = PING.exec(name) ?? [];
  if (isIP(address) === 0 || (isIP(address) === 6 && address.includes(".")) || (device !== undefined && isIP(address) !== 6)) return undefined;
  // The interface may be one that the change makes.
  return (timeoutMs) => echoesFrom({ bytes: bytesOf(address), scope: device === undefined ? 0 : interfaceNumber(device) }, timeoutMs);
}

async function gatewayAnswers(timeoutMs: number): Promise<string | undefined> {
  const gateway = defaultGateway();
  return gateway === undefined ? "there is no default route with a gateway" : await echoesFrom(gateway, timeoutMs);
}

async function echoesFrom(place: EchoPlace, timeoutMs: number): Promise<string | undefined> {
  const { echoes } = await import("./native/echo.ts");
  return await echoes(place, timeoutMs);
}

/** The bytes of an IPv4 address, or of an IPv6 one without IPv4's dots in it. */
function bytesOf(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split("."), Number);
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => text.split(":").filter((group) => group !== "");
  const [before, after] = [groups(head), groups(tail ?? "")];
  const words = [...before, ...Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => "0"), ...after];
  return Uint8Array.from(words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]));
}

async function connects(hostname: string, port: number, timeoutMs: number): Promise<string | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
  let over = false;
  const socket = {
    data: () => undefined,
    // An attempt that was given up may still be answered.
    open: (opened: Bun.Socket) => void (over && opened.terminate()),
  };
  const attempt = Bun.connect({ hostname, port, socket }).then(
    (opened) => void opened.terminate(),
    (error: unknown) => messageOf(error),
  );
  try {
    return await Promise.race([attempt, late]);
  } finally {
    over = true;
    clearTimeout(timer);
  }
}
