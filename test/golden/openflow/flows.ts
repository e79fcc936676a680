import { join } from "node:path";
import { ANY, portNames } from "../../../src/protocols/openflow/port-names.ts";

/** The flows of flows.txt as people write them, told apart by priority; flows-printed.txt has them as ovs-ofctl 3.1 printed them, in the same order. */
export const FLOWS: readonly string[] = (await linesOf("flows.txt")).map((line, index) => `priority=${index + 1}${line.startsWith("actions") ? " " : ","}${line}`);
export const PRINTED: readonly string[] = await linesOf("flows-printed.txt");

/** The ports that they name. */
export const PORTS = portNames([...[1, 2, 3, 4].map((port) => ({ port, name: `veth${port}` })), { port: ANY - 1, name: "mesh" }]);

async function linesOf(file: string): Promise<string[]> {
  const text = await Bun.file(join(import.meta.dir, file)).text();
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}
