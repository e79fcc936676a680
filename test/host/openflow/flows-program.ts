import { OpError } from "../../../src/core/errors.ts";
import type { Bridge } from "../../../src/protocols/openflow/bridge.ts";
import { openBridges } from "../../../src/protocols/openflow/client.ts";
import { parseFlow, printFlow } from "../../../src/protocols/openflow/flow-text.ts";
import type { FlowMod } from "../../../src/protocols/openflow/flow.ts";
import { NUMBERS_ONLY, portNames } from "../../../src/protocols/openflow/port-names.ts";

/*
 * Runs in a host: `flows-program WHAT BRIDGE [names]`, with flows on standard input, a line each. Prints one JSON value.
 */

const [what = "", name = "", spelling] = process.argv.slice(2);

const bridges = openBridges();
using bridge = bridges.open(name);

async function flowsGiven(): Promise<FlowMod["flow"][]> {
  const names = portNames(await bridge.ports());
  return (await Bun.stdin.text()).split("\n").filter((line) => line !== "").map((line) => parseFlow(line, names));
}

const doings: Readonly<Record<string, (bridge: Bridge) => Promise<unknown>>> = {
  bridges: () => bridges.names(),
  features: (bridge) => bridge.features(),
  ports: async () => (await bridge.ports()).map(({ port, name: portName }) => ({ port, name: portName })),
  /** The flows as the bridge tells them. */
  async dump() {
    const names = spelling === "names" ? portNames(await bridge.ports()) : NUMBERS_ONLY;
    return (await bridge.flows()).map((flow) => printFlow(flow, names));
  },
  /** The flows given, as they are meant. */
  print: async () => (await flowsGiven()).map((flow) => printFlow(flow, NUMBERS_ONLY)),
  async add() {
    await bridge.change((await flowsGiven()).map((flow) => ({ command: "add", flow })));
    return bridge.counts;
  },
  async remove() {
    await bridge.change((await flowsGiven()).map((flow) => ({ command: "delete_strict", flow })));
    return bridge.counts;
  },
  /** Every flow away and, as it was read, back. */
  async replace() {
    const flows = await bridge.flows();
    await bridge.change(flows.map((flow) => ({ command: "delete_strict", flow })));
    const left = (await bridge.flows()).length;
    await bridge.change(flows.map((flow) => ({ command: "add", flow })));
    return { left };
  },
};

try {
  console.log(JSON.stringify(await doings[what]?.(bridge)));
} catch (error) {
  if (!(error instanceof OpError)) throw error;
  console.log(JSON.stringify({ kind: error.kind, message: error.message, details: error.details, hint: error.hint }));
}
