import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseFlow, printFlow } from "../../src/protocols/openflow/flow-text.ts";
import { decodeFlowMod, encodeFlowMod } from "../../src/protocols/openflow/flow.ts";
import { decodeMessage, encodeMessage, OF14, typeName } from "../../src/protocols/openflow/message.ts";
import { NUMBERS_ONLY } from "../../src/protocols/openflow/port-names.ts";
import { FLOWS, PORTS, PRINTED } from "./openflow/flows.ts";
import { read } from "./openflow/reading.ts";

const FOLDER = join(import.meta.dir, "openflow");

/** JSON with what JSON has no words for: bigints and bytes. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}

/** The bytes as ovs-ofctl and ovs-vswitchd had them on the wire (openflow/capture.ts). */
for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".bin"))) {
  test(`openflow/${name}: decode gives the JSON, encode gives the bytes`, async () => {
    const bytes = await Bun.file(join(FOLDER, name)).bytes();
    const message = decodeMessage(bytes);
    const { says, again } = read(message);
    const found = plain({ version: message.version, type: typeName(message.type), xid: message.xid, ...(says as object) });
    const golden = Bun.file(join(FOLDER, name.replace(/bin$/, "json")));
    if (process.env.UPDATE_GOLDEN === "1") await golden.write(`${JSON.stringify(found, null, 2)}\n`);
    expect(found).toEqual(await golden.json());
    expect(Buffer.from(encodeMessage(again)).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
  });
}

for (const [index, text] of FLOWS.entries()) {
  test(`openflow/flows.txt: ${text} is spelled as ovs-ofctl does, and says the same on the wire`, () => {
    const flow = parseFlow(text, PORTS);
    expect(printFlow(flow, NUMBERS_ONLY)).toBe(PRINTED[index] ?? "");
    const { flow: carried } = decodeFlowMod(OF14, encodeFlowMod(OF14, { command: "add", flow }));
    expect(printFlow(carried, NUMBERS_ONLY)).toBe(PRINTED[index] ?? "");
    expect(printFlow(parseFlow(printFlow(flow, PORTS), PORTS), NUMBERS_ONLY)).toBe(PRINTED[index] ?? "");
  });
}
