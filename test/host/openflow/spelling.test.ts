import { expect } from "bun:test";
import { FLOWS, PRINTED } from "../../golden/openflow/flows.ts";
import { bridgeTest, flowsOf, flowsProgram, makeBridge, ofctl } from "./bridges.ts";

function byPriority(texts: unknown): string[] {
  const priority = (text: string) => Number(/priority=(\d+)/.exec(text)?.[1] ?? 0);
  return (texts as string[]).toSorted((a, b) => priority(a) - priority(b));
}

bridgeTest("flows are spelled, sent and read as ovs-ofctl does, one by one", async (host) => {
  expect(FLOWS.length).toBeGreaterThan(200);
  await makeBridge(host, "theirs");
  await makeBridge(host, "ours", "o-");
  await host.must([...ofctl("add-flows"), "theirs", "-"], { input: `${FLOWS.join("\n")}\n` });
  const theirs = byPriority(await flowsOf(host, "theirs"));
  expect(theirs).toEqual([...PRINTED]);
  expect(byPriority(await flowsProgram(host, ["print", "theirs"], FLOWS))).toEqual(theirs);
  expect(byPriority(await flowsProgram(host, ["dump", "theirs"]))).toEqual(theirs);
  await flowsProgram(host, ["add", "ours"], FLOWS.map((flow) => flow.replaceAll("veth", "o-veth")));
  expect(byPriority(await flowsOf(host, "ours"))).toEqual(theirs);
  expect(byPriority(await flowsProgram(host, ["dump", "ours"]))).toEqual(theirs);
  // What is printed means the same again.
  expect(byPriority(await flowsProgram(host, ["print", "ours"], theirs))).toEqual(theirs);
});

bridgeTest("ports are printed by name, as ovs-ofctl --names does", async (host) => {
  await makeBridge(host, "theirs");
  await host.must([...ofctl("add-flows"), "theirs", "-"], { input: `${FLOWS.join("\n")}\n` });
  const theirs = byPriority(await flowsOf(host, "theirs", "--names"));
  expect(theirs.filter((flow) => flow.includes("veth")).length).toBeGreaterThan(20);
  expect(byPriority(await flowsProgram(host, ["dump", "theirs", "names"]))).toEqual(theirs);
  expect(byPriority(await flowsProgram(host, ["print", "theirs"], theirs))).toEqual(byPriority(await flowsOf(host, "theirs")));
});

bridgeTest("what op-dbus has no words for is read as bytes, and goes back as they were", async (host) => {
  await makeBridge(host, "theirs");
  const unknown = [
    "priority=1,actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
    "priority=2,ip,actions=ct(commit,nat(src=10.0.0.1)),push:NXM_NX_REG0[],pop:NXM_NX_REG1[]",
    "priority=3,tun_flags=+oam,actions=multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[]),output:1",
    "priority=4,actset_output=1,actions=controller(reason=invalid_ttl,max_len=10,id=3)",
  ];
  await host.must([...ofctl("add-flows"), "theirs", "-"], { input: `${unknown.join("\n")}\n` });
  const before = byPriority(await flowsOf(host, "theirs"));
  const printed = byPriority(await flowsProgram(host, ["dump", "theirs"]));
  expect(printed.every((flow) => flow.includes("raw"))).toBeTrue();
  expect(await flowsProgram(host, ["replace", "theirs"])).toEqual({ left: 0 });
  expect(byPriority(await flowsOf(host, "theirs"))).toEqual(before);
  // And so do the texts that they were printed as.
  await host.must([...ofctl("del-flows"), "theirs"]);
  await flowsProgram(host, ["add", "theirs"], printed);
  expect(byPriority(await flowsOf(host, "theirs"))).toEqual(before);
});
