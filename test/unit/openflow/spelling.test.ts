import { expect, test } from "bun:test";
import { parseFlow } from "../../../src/protocols/openflow/flow-text.ts";
import { SpellingError } from "../../../src/protocols/openflow/spelling-error.ts";
import { PORTS } from "../../golden/openflow/flows.ts";

/** What people may write wrongly, where in it the message points, and what it says. What is written rightly is in test/golden/openflow. */
const WRONG: readonly (readonly [text: string, at: number, message: string])[] = [
  ["in_prot=1,actions=drop", 0, "'in_prot' is not a field that a flow can match (did you mean 'in_port'?)"],
  ["tcp,tp_dst=22", 13, "A flow needs actions"],
  ["tp_dst=22,actions=drop", 0, "'tp_dst' needs tcp, udp, sctp, tcp6, udp6 or sctp6 beside it"],
  ["ip,tcp_dst=22,actions=drop", 3, "'tcp_dst' needs tcp or tcp6 beside it"],
  ["tcp,udp,actions=drop", 4, "'tcp' and 'udp' contradict each other"],
  ["tcp,nw_proto=17,actions=drop", 4, "'tcp' and 'nw_proto' contradict each other"],
  ["nw_src=10.0.0.1,actions=drop", 0, "'nw_src' needs ip beside it"],
  ["ip,nw_src=10.0.0.256,actions=drop", 10, "'10.0.0.256' is not a value of 'nw_src', which is an IPv4 address"],
  ["ip,nw_src=10.0.0.1/33,actions=drop", 10, "'10.0.0.1/33' is not a value of 'nw_src', which is an IPv4 address"],
  ["tcp,tp_dst=70000,actions=drop", 11, "'70000' is too large for 'tp_dst', which has 16 bits"],
  ["dl_dst=02:00:00:00:00,actions=drop", 7, "'02:00:00:00:00' is not a value of 'dl_dst', which is a MAC address"],
  ["in_port=veth9,actions=drop", 8, "There is no port 'veth9'"],
  ["in_port=locla,actions=drop", 8, "There is no port 'locla' (did you mean LOCAL?)"],
  ["in_port,actions=drop", 0, "'in_port' needs a value"],
  ["tcp=1,actions=drop", 0, "'tcp' takes no value"],
  ["dl_vlan=5000,actions=drop", 8, "'5000' is not a value of 'dl_vlan', which is a number up to 4095, or 0xffff for frames without a tag"],
  ["dl_vlan=5,vlan_tci=0,actions=drop", 10, "'vlan_tci' contradicts what is asked of the VLAN besides"],
  ["vlan_tci=0x2000/0x2000,actions=drop", 0, "'vlan_tci' asks for bits of the VLAN priority that OpenFlow cannot match: all three or none, and with 0x1000 set"],
  ["ip,nw_tos=3,actions=drop", 3, "'nw_tos=3' has bits of nw_ecn: it is a multiple of 4"],
  ["ip,nw_proto=6/7,actions=drop", 12, "'nw_proto' cannot be matched in part: '6/7' has a mask"],
  ["reg0=5/0,actions=drop", 5, "'reg0=5/0' matches everything: leave it out"],
  ["reg16=5,actions=drop", 0, "'reg16' is not a field that a flow can match (did you mean 'reg1'?)"],
  ["tcp,tcp_flags=+syn-akc,actions=drop", 14, "'akc' is not one of fin, syn, rst, psh, ack, urg, ece, cwr, ns, [200], [400], [800] (did you mean ack?)"],
  ["ct_state=+trk+trk,actions=drop", 9, "'trk' is written twice"],
  ["tun_metadata0=5,actions=drop", 0, "'tun_metadata0' is not a field that a flow can match"],
  ["raw=zz,actions=drop", 0, "'raw=zz' is not the bytes of match fields"],
  ["raw=ffff,actions=drop", 0, "'raw=ffff' is not the bytes of match fields"],
  ["priority=70000,actions=drop", 9, "'priority' is a number up to 65535, not '70000'"],
  ["table=255,actions=drop", 6, "'table' is a number up to 254, not '255'"],
  ["cookie=0x10000000000000000,actions=drop", 7, "'cookie' is a number of 64 bits, not '0x10000000000000000'"],
  ["actions=outptu:2", 8, "'outptu' is not an action or a port (did you mean 'output'?)"],
  ["actions=output:veth9", 15, "There is no port 'veth9'"],
  ["actions=output:1,outptu:2", 17, "'outptu' is not an action or a port (did you mean 'output'?)"],
  ["actions=drop,output:1", 8, "'drop' stands alone"],
  ["actions=learn(table=1)", 8, "'learn' is not supported: what it would add to the tables could not be told from what somebody else did"],
  ["actions=set_field:5->reg99", 21, "'reg99' is not a field (did you mean 'reg9'?)"],
  ["actions=set_field:5", 18, "'5' is not written as set_field:VALUE->FIELD"],
  ["ip,actions=set_field:5->tcp_dst", 21, "'tcp_dst' can be set only where the flow matches tcp or tcp6"],
  ["actions=mod_nw_src:1.2.3.4", 19, "'mod_nw_src' can be set only where the flow matches ip"],
  ["actions=mod_tp_dst:5", 19, "'mod_tp_dst' needs a match on tcp, udp or sctp"],
  ["actions=set_field:10->vlan_vid", 18, "'vlan_vid' is set to 4096 and the VLAN: 4106 for VLAN 10"],
  ["actions=set_field:02:00->eth_dst", 18, "'02:00' is not a value of 'eth_dst', which is a MAC address"],
  ["actions=load:16->reg0[0..3]", 13, "The value for 'reg0[0..3]' is a number of 4 bits, not '16'"],
  ["actions=load:1->reg0[30..33]", 16, "'reg0[30..33]' is not within 'reg0', which has 32 bits"],
  ["actions=move:reg0[0..3]->reg1[0..4]", 13, "'reg0[0..3]->reg1[0..4]' moves 4 bits to 5"],
  ["actions=resubmit", 8, "'resubmit' needs a port, a table or both: resubmit(PORT,TABLE)"],
  ["actions=resubmit(1,2,3)", 17, "'1,2,3' is not written as resubmit(PORT,TABLE) or resubmit(PORT,TABLE,ct)"],
  ["actions=goto_table:5,output:1", 21, "'output:1' stands too late: the order is meter, actions, clear_actions, write_actions, write_metadata, goto_table"],
  ["actions=goto_table:5,goto_table:6", 21, "'goto_table:6' is a second goto_table"],
  ["actions=goto_table:x", 19, "A table is a number up to 254, not 'x'"],
  ["actions=ct(nat)", 11, "'nat' is not supported: addresses that connections were given are not in the flow"],
  ["actions=ct(zone=reg0[0..3])", 16, "'reg0[0..3]' has 4 bits: a zone has 16"],
  ["actions=ct(force)", 11, "'force' needs 'commit' beside it"],
  ["actions=ct(commit,exec(outptu:1))", 23, "'outptu' is not an action or a port (did you mean 'output'?)"],
  ["actions=ct(commit", 17, "'ct(commit' has no ')' at its end"],
  ["actions=write_actions(output:1,write_actions(output:2))", 31, "'write_actions' cannot stand within another action"],
  ["actions=conjunction(1,3/2)", 20, "'1,3/2' is not written as conjunction(ID,K/N) with 1 <= K <= N and 2 <= N <= 64"],
  ["actions=note:xx", 13, "'xx' is not bytes in hexadecimal"],
  ["actions=exit:5", 13, "'exit' takes no argument"],
  ["actions=raw:00", 12, "'00' is not the bytes of one action or instruction"],
  ["actions=output(port=1)", 15, "'port=1' is not written as port=PORT,max_len=BYTES"],
  ["actions=controller(id=3)", 19, "'controller(…)' is not supported: op-dbus knows CONTROLLER and CONTROLLER:BYTES"],
  ["actions=multipath(x)", 8, "'multipath' is not supported: op-dbus does not know how to write it"],
];

for (const [text, at, message] of WRONG) {
  test(`parseFlow refuses ${text}`, () => {
    const refusal = (() => {
      try {
        return parseFlow(text, PORTS);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(SpellingError);
    expect(refusal).toMatchObject({ kind: "invalid", at, message });
  });
}
