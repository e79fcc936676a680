import { expect, test } from "bun:test";
import { DocumentError, parseDocument } from "../../../src/core/document.ts";
import type { Json } from "../../../src/core/json.ts";
import { createOpenflowPlugin } from "../../../src/plugins/openflow/plugin.ts";

const PLUGINS = [createOpenflowPlugin({} as never)];

/** Sections that no bridge could be brought to, and what is said of them: the place within the section, the message, and the hint after a bar. */
const WRONG: readonly (readonly [section: Json, ...findings: string[]])[] = [
  [{"flows":[]}, ": 'openflow': 'bridge' says which bridge 'flows' and the like are of"],
  [{"bridge":"mesh","flows":[{"match":{"in_prot":1},"actions":["drop"]}]}, "flows.0.match.in_prot: 'openflow.flows.0.match.in_prot': 'in_prot' is not a field that a flow can match (did you mean 'in_port'?)"],
  [{"bridge":"mesh","flows":[{"match":{"tcp":true,"tp_dst":70000},"actions":["drop"]}]}, "flows.0.match.tp_dst: 'openflow.flows.0.match.tp_dst': '70000' is too large for 'tp_dst', which has 16 bits"],
  [{"bridge":"mesh","flows":[{"match":{"tp_dst":22},"actions":["drop"]}]}, "flows.0.match.tp_dst: 'openflow.flows.0.match.tp_dst': 'tp_dst' needs tcp, udp, sctp, tcp6, udp6 or sctp6 beside it"],
  [{"bridge":"mesh","flows":[{"match":{"ip":true,"nw_src":"10.0.0.300"},"actions":["drop"]}]}, "flows.0.match.nw_src: 'openflow.flows.0.match.nw_src': '10.0.0.300' is not a value of 'nw_src', which is an IPv4 address"],
  [{"bridge":"mesh","flows":[{"match":{"tcp":false},"actions":["drop"]}]}, "flows.0.match.tcp: 'openflow.flows.0.match.tcp': false says nothing here: leave it out"],
  [{"bridge":"mesh","flows":[{"match":{"in_port":"a,b"},"actions":["drop"]}]}, "flows.0.match.in_port: 'openflow.flows.0.match.in_port': \"a,b\" has a comma or a space in it"],
  [{"bridge":"mesh","flows":[{"match":{"tcp":true},"actions":["output:2","outptu:2"]}]}, "flows.0.actions.1: 'openflow.flows.0.actions.1': 'outptu' is not an action or a port (did you mean 'output'?)"],
  [{"bridge":"mesh","flows":[{"match":{},"actions":["output:2,output:3"]}]}, "flows.0.actions.0: 'openflow.flows.0.actions.0': 'output:2,output:3' is more than one action: write 'output:2' and 'output:3' each on its own (at character 10)"],
  [{"bridge":"mesh","flows":[{"match":{},"actions":["ct(commit,exec(set_field:1->ct_mrak))"]}]}, "flows.0.actions.0: 'openflow.flows.0.actions.0': 'ct_mrak' is not a field (did you mean 'ct_mark'?) (at character 29)"],
  [{"bridge":"mesh","flows":[{"match":{},"actions":["learn(table=1)"]}]}, "flows.0.actions.0: 'openflow.flows.0.actions.0': 'learn' is not supported: what it would add to the tables could not be told from what somebody else did"],
  [{"bridge":"mesh","flows":[{"match":{"tcp":true}}]}, "flows.0: 'openflow.flows.0': Missing 'actions'; for none, [\"drop\"]"],
  [{"bridge":"mesh","flows":[{"match":{"tcp":true},"state":"absent","actions":["drop"]}]}, "flows.0.actions: 'openflow.flows.0.actions': A flow that is to be absent has no actions"],
  [{"bridge":"mesh","flows":[{"match":{"tcp":true},"actions":["drop"]},{"match":{"dl_type":2048,"nw_proto":6},"actions":["NORMAL"]}]}, "flows.1: 'openflow.flows.1': It has the table, priority and match of flow 0: table=0,priority=32768,tcp"],
  [{"bridge":"mesh","flows":[{"table":255,"actions":["drop"]}]}, "flows.0.table: 'openflow.flows.0.table': A table is a whole number up to 254"],
  [{"bridge":"mesh","flows":[{"priority":70000,"actions":["drop"]}]}, "flows.0.priority: 'openflow.flows.0.priority': A priority is a whole number up to 65535"],
  [{"bridge":"mesh","flows":[{"cookie":"0x1ffffffffffffffff","actions":["drop"]}]}, "flows.0.cookie: 'openflow.flows.0.cookie': A cookie is a number of 64 bits, beyond 2^53 as a string"],
  [{"bridge":"mesh","flows":[{"cookie":"99999999999999999999","actions":["drop"]}]}, "flows.0.cookie: 'openflow.flows.0.cookie': A cookie is a number of 64 bits, beyond 2^53 as a string"],
  [{"bridge":"mesh","flows":[{"flags":["send_flow_rm"],"actions":["drop"]}]}, "flows.0.flags.0: 'openflow.flows.0.flags.0' is \"send_flow_rm\", allowed is \"send_flow_rem\", \"no_packet_counts\" or \"no_byte_counts\" | Did you mean \"send_flow_rem\"?"],
  [{"bridge":"mesh","flows":[{"acitons":["drop"]}]}, "flows.0.acitons: Unknown key 'openflow.flows.0.acitons' | Did you mean 'actions'?"],
  [{"bridge":"mesh","default_action":"dorp"}, "default_action: 'openflow.default_action' is \"dorp\", allowed is \"drop\" or \"normal\" | Did you mean \"drop\"?"],
  [{"bridge":"mesh","default_action":"drop","exclusive":false}, ": 'openflow': 'default_action' drop means that only the flows listed are there: 'exclusive' is not false"],
  [{"bridge":"mesh","default_action":"drop","fail_mode":"standalone"}, ": 'openflow': 'default_action' drop means that 'fail_mode' is secure"],
  [{"bridge":"mesh","default_action":"normal","flows":[{"priority":0,"actions":["drop"]}]}, ": 'openflow': 'default_action' normal is itself the flow of priority 0 that matches everything: leave out one of the two"],
  [{"bridge":"mesh","default_action":"drop","flows":[{"priority":0,"match":{},"actions":["NORMAL"]}]}, ": 'openflow': 'default_action' is drop, and a flow of priority 0 lets everything through"],
  [{"bridge":"a/b","flows":[]}, "bridge: 'openflow.bridge': The name of a bridge has up to 15 characters, and no '/' or space"],
  [{"bridge":"mesh","bridges":[{"name":"mesh"}]}, ": 'openflow': Bridge 'mesh' is there twice"],
  [{"bridges":[{"name":"mesh","flows":[{"match":{"raw":"zz"},"actions":["raw:zz"]}]}]}, "bridges.0.flows.0.match.raw: 'openflow.bridges.0.flows.0.match.raw': 'raw=zz' is not the bytes of match fields"],
  [{"bridges":[{"flows":[]}]}, "bridges.0.name: Missing 'openflow.bridges.0.name'"],
];

for (const [section, ...findings] of WRONG) {
  test(`openflowSchema refuses ${JSON.stringify(section)}`, () => {
    expect(findingsOf(section)).toEqual(findings);
  });
}

test("openflowSchema takes a bridge alone, several, and what null and false leave as it is", () => {
  for (const section of [
    {},
    { bridge: "mesh" },
    { bridge: "mesh", default_action: null, exclusive: null, flows: null },
    { bridge: "mesh", default_action: "drop", exclusive: true, flows: [{ priority: 0, actions: ["CONTROLLER"] }] },
    { bridge: "mesh", flows: [{ table: null, match: null, actions: [], cookie: "0xffffffffffffffff" }, { match: { in_port: "eth0.5", tp_dst: null }, actions: ["output:veth1"] }] },
    { bridges: [{ name: "a", observed: { anything: 1 } }, { name: "b", flows: [{ match: { udp: true }, state: "absent" }] }] },
  ]) {
    expect(findingsOf(section)).toEqual([]);
  }
});

test("section is the inverse of resources", () => {
  const [plugin] = PLUGINS;
  const section = {
    bridges: [
      { name: "a", default_action: "normal", flows: [{ table: 0, priority: 5, match: { tcp: true, tp_dst: 22, in_port: "veth1" }, actions: ["output:2", "ct(commit,zone=5)"] }] },
      { name: "b", default_action: "drop", flows: [{ table: 3, priority: 32768, match: {}, actions: ["drop"], cookie: 7, idle_timeout: 60, importance: 2, flags: ["send_flow_rem"] }] },
      { name: "c", exclusive: true, flows: [{ table: 0, priority: 0, match: { raw: "0001d10400010001" }, actions: ["drop"], cookie: "18446744073709551615" }] },
      { name: "d", flows: [{ table: 1, priority: 5, match: { udp: true }, state: "absent" }] },
      { name: "e", default_action: "normal", fail_mode: "standalone", flows: [] },
      { name: "f", fail_mode: null },
    ],
  };
  expect(plugin?.section(plugin.resources(section))).toEqual(section);
});

function findingsOf(section: Json): string[] {
  try {
    parseDocument({ name: "state.json", text: JSON.stringify({ version: 1, plugins: { openflow: section } }), format: "json" }, PLUGINS);
    return [];
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    return error.diagnostics.map(({ path, message, hint }) => `${path.slice(2).join(".")}: ${message}${hint === undefined ? "" : ` | ${hint}`}`);
  }
}
