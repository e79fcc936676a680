import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { decodeAcknowledgement } from "../../src/protocols/netlink/acknowledgement.ts";
import { ADDRESS } from "../../src/protocols/netlink/address.ts";
import { RTM } from "../../src/protocols/netlink/constants.ts";
import { LINK } from "../../src/protocols/netlink/link.ts";
import { encodeMessage, messagesIn, NLMSG_DONE, NLMSG_ERROR } from "../../src/protocols/netlink/message.ts";
import { NEIGHBOUR } from "../../src/protocols/netlink/neighbour.ts";
import { ROUTE } from "../../src/protocols/netlink/route.ts";
import { RULE } from "../../src/protocols/netlink/rule.ts";

const FOLDER = join(import.meta.dir, "netlink");

interface Form {
  decode(payload: Buffer): unknown;
  bytes(value: never, operation: string): Uint8Array;
}

const FORMS: Readonly<Record<number, Form>> = {
  [RTM.NEWLINK]: LINK,
  [RTM.NEWADDR]: ADDRESS,
  [RTM.NEWROUTE]: ROUTE,
  [RTM.NEWRULE]: RULE,
  [RTM.NEWNEIGH]: NEIGHBOUR,
};

/** JSON with what JSON has no words for: bigints and bytes. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}

/** The bytes as two kernels sent them (netlink/capture.ts). */
for (const name of readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".bin")).sort()) {
  test(`netlink/${name}: decode gives the JSON, encode gives the bytes`, async () => {
    const bytes = await Bun.file(join(FOLDER, name)).bytes();
    const [message, ...more] = messagesIn(bytes);
    if (message === undefined) throw new Error("There is no message");
    const { payload, ...header } = message;
    expect(more).toEqual([]);
    expect(Buffer.from(encodeMessage(message))).toEqual(Buffer.from(bytes));
    const ends = message.type === NLMSG_ERROR || message.type === NLMSG_DONE;
    const form = FORMS[message.type];
    const value = ends ? decodeAcknowledgement(message) : form?.decode(payload);
    const golden = Bun.file(join(FOLDER, name.replace(/bin$/, "json")));
    if (process.env.UPDATE_GOLDEN === "1") await golden.write(`${JSON.stringify(plain({ ...header, value }), null, 2)}\n`);
    expect(plain({ ...header, value })).toEqual(await golden.json());
    if (!ends) expect(form?.bytes(value as never, "encode it again")).toEqual(payload);
  });
}
