import { messageOf, OpError } from "../core/errors.ts";
import type { Probe } from "../core/confirmation.ts";

const TCP = /^tcp:(?:\[([0-9a-f:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/i;

/** "tcp:HOST:PORT" succeeds when somebody accepts a connection there. Throws kind invalid for what is no probe. */
export function openProbe(name: string): Probe {
  const [, address, host = address, digits] = TCP.exec(name) ?? [];
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65535) {
    throw new OpError("invalid", `'${name}' is no probe`, { hint: "--probe tcp:HOST:PORT, with an IPv6 address in brackets: tcp:[2001:db8::1]:22" });
  }
  return { name, attempt: (timeoutMs) => connects(host, port, timeoutMs) };
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
