import { mkdirSync, writeFileSync } from "node:fs";
import { Framer } from "../../../src/core/framer.ts";
import { messageLength, typeName } from "../../../src/protocols/openflow/message.ts";

/*
 * Made the .bin files of this folder: run as root in a throw-away host with Open vSwitch and its bridge `mesh`, which has ports veth1 and
 * veth2 (test/host/openflow/bridges.ts), it stands between ovs-ofctl and the bridge's management socket and writes what both say into the
 * folder given. The telling messages are kept.
 */

const folder = process.argv[2] ?? ".";
const PROXY = "/tmp/openflow-capture.sock";
const BRIDGE = "/run/openvswitch/mesh.mgmt";

const FLOWS = [
  "table=1,priority=1,cookie=0x5,idle_timeout=600,importance=3,in_port=1,dl_dst=02:00:00:00:00:01/ff:00:00:00:00:00,dl_vlan=5,actions=pop_vlan,output:2",
  "table=1,priority=2,tcp,nw_src=10.0.0.0/8,tp_dst=22,tcp_flags=+syn-ack,actions=mod_nw_dst:10.0.0.1,dec_ttl,CONTROLLER:64",
  "table=1,priority=3,icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::1,reg0=5,metadata=0x1/0xff,actions=load:5->NXM_NX_REG0[0..3],move:reg0[]->reg1[],resubmit(,5)",
  "table=1,priority=4,ct_state=+trk-new,ct_mark=1,ip,actions=ct(commit,zone=5,exec(set_field:1->ct_mark)),note:aa.bb",
  "table=1,priority=5,ip,actions=meter:1,output:1,write_actions(group:5,set_queue:3),write_metadata:0x5/0xff,goto_table:20",
  "table=1,priority=6,actions=learn(table=2,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
  "table=1,priority=7,actset_output=1,tun_src=1.2.3.4,actions=drop",
];

let label = "";
let count = 0;

/** Writes each message that passes, in order. */
function recorder(direction: "sent" | "reply"): (chunk: Uint8Array) => void {
  const framer = new Framer(messageLength);
  return (chunk) => {
    framer.push(chunk);
    for (let message = framer.next(); message !== undefined; message = framer.next()) {
      const type = typeName(message.readUInt8(1)).replace("OFPT_", "").toLowerCase().replaceAll(/[ _]/g, "-");
      writeFileSync(`${folder}/${label}-${String((count += 1)).padStart(2, "0")}-${direction}-${type}.bin`, message);
    }
  };
}

interface Ends {
  readonly upstream: Promise<Bun.Socket>;
  readonly sent: (chunk: Uint8Array) => void;
}

mkdirSync(folder, { recursive: true });
using _server = Bun.listen<Ends>({
  unix: PROXY,
  socket: {
    open(client) {
      const reply = recorder("reply");
      const upstream = Bun.connect({ unix: BRIDGE, socket: { data: (_, chunk) => (reply(chunk), void client.write(chunk)), close: () => void client.end() } });
      client.data = { upstream, sent: recorder("sent") };
    },
    async data(client, chunk) {
      client.data.sent(chunk);
      (await client.data.upstream).write(chunk);
    },
    close: async (client) => void (await client.data.upstream).end(),
  },
});

async function ofctl(name: string, version: "OpenFlow13" | "OpenFlow14", args: readonly string[], input = ""): Promise<void> {
  [label, count] = [`${version === "OpenFlow13" ? "13" : "14"}-${name}`, 0];
  await Bun.spawn(["ovs-ofctl", "--no-names", "-O", version, ...args], { stdin: Buffer.from(input), stdout: "ignore", stderr: "ignore" }).exited;
}

const TARGET = `unix:${PROXY}`;
for (const version of ["OpenFlow13", "OpenFlow14"] as const) {
  const flows = FLOWS.map((flow) => (version === "OpenFlow13" ? flow.replace("importance=3,", "") : flow));
  await ofctl("show", version, ["show", TARGET]);
  await ofctl("probe", version, ["probe", TARGET]);
  await ofctl("ports", version, ["dump-ports-desc", TARGET]);
  await ofctl("bundle", version, ["--bundle", "add-flows", TARGET, "-"], flows.join("\n"));
  await ofctl("dump", version, ["dump-flows", TARGET]);
  await ofctl("delete", version, ["--strict", "del-flows", TARGET, "table=1,priority=1,in_port=1"]);
  await ofctl("bad-group", version, ["add-flow", TARGET, "actions=group:77"]);
  await ofctl("bad-bundle", version, ["--bundle", "add-flow", TARGET, "actions=group:77"]);
  await ofctl("delete-all", version, ["del-flows", TARGET]);
}
