import { closeSync } from "node:fs";
import { messageOf } from "../../core/errors.ts";
import { check } from "./failure.ts";
import { native } from "./library.ts";
import { watchReadable } from "./readiness.ts";

/** Where an echo is to come from. */
export interface EchoPlace {
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  /** The number of the interface that a link-local address is on; 0 for any other. */
  readonly scope: number;
}

const REQUEST_INTERVAL_MS = 500;

/** Asks for an echo (RFC 792, RFC 4443) until one comes. Undefined then, else why none did. For root. */
export async function echoes({ bytes, scope }: EchoPlace, timeoutMs: number): Promise<string | undefined> {
  const six = bytes.length === 16 ? 1 : 0;
  const [id = 0] = crypto.getRandomValues(new Uint16Array(1));
  const sequence = 1;
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      resolve(messageOf(error));
    }
  };
  let fd: number;
  try {
    fd = check(native().opd_echo_open(bytes, bytes.length, scope), "reach it");
  } catch (error) {
    return messageOf(error);
  }
  const send = () => attempt(() => check(native().opd_echo_send(fd, six, id, sequence), "ask for an echo"));
  const watch = await watchReadable(fd, () => attempt(() => check(native().opd_echo_receive(fd, six, id, sequence), "receive an echo") === 1 && resolve(undefined)));
  const late = setTimeout(() => resolve(`no echo within ${timeoutMs / 1000} s`), timeoutMs);
  const again = setInterval(send, REQUEST_INTERVAL_MS);
  send();
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    clearInterval(again);
    watch.close();
    closeSync(fd);
  }
}
