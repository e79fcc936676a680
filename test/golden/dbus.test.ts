import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { decodeBody, encodeBody } from "../../src/protocols/dbus/body.ts";
import { decodeMessage, encodeMessage } from "../../src/protocols/dbus/message.ts";

const FOLDER = join(import.meta.dir, "dbus");

/** JSON with what JSON has no words for: bigints, maps and bytes. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("hex") };
  if (value instanceof Map) return { $map: [...value].map(plain) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}

/** The bytes as dbus-daemon and systemd had them on the wire (dbus/capture.ts). */
for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".bin"))) {
  test(`dbus/${name}: decode gives the JSON, encode gives the bytes`, async () => {
    const bytes = await Bun.file(join(FOLDER, name)).bytes();
    const message = decodeMessage(bytes);
    const values = decodeBody(message.signature, message.body);
    const golden = Bun.file(join(FOLDER, name.replace(/bin$/, "json")));
    const { body: _, ...header } = message;
    if (process.env.UPDATE_GOLDEN === "1") await golden.write(`${JSON.stringify(plain({ ...header, values }), null, 2)}\n`);
    expect(plain({ ...header, values })).toEqual(await golden.json());
    expect(Buffer.from(encodeBody(message.signature, values))).toEqual(Buffer.from(message.body));
    // Peers put header fields in an order of their own; ours is that of the codes.
    const encoded = encodeMessage(message);
    if (name.startsWith("sent-")) expect(Buffer.from(encoded)).toEqual(Buffer.from(bytes));
    else expect(decodeMessage(encoded)).toEqual(message);
  });
}
