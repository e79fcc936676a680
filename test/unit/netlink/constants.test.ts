import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as constants from "../../../src/protocols/netlink/constants.ts";
import { must } from "../../host/harness/command.ts";
import { scratch } from "../sys/scratch.ts";

/*
 * Numbers against the kernel's headers, by the compiler that native/ needs anyhow: those of constants.ts, and those that the tables have
 * beside the kernel's names.
 */

const SOURCE = join(import.meta.dir, "../../../src/protocols/netlink");
const HEADERS = ["rtnetlink", "if", "if_link", "if_addr", "if_bridge", "if_bonding", "if_tun", "neighbour", "fib_rules", "veth", "ip", "ipv6", "netlink"];

async function valuesOf(names: readonly string[]): Promise<Record<string, number>> {
  await using folder = scratch();
  const lines = names.map((name) => `  printf("%s %lld\\n", "${name}", (long long)(${name}));`);
  const source = `#include <sys/socket.h>\n#include <stdio.h>\n${HEADERS.map((header) => `#include <linux/${header}.h>`).join("\n")}\nint main(void) {\n${lines.join("\n")}\n  return 0;\n}\n`;
  await Bun.write(folder.file("names.c"), source);
  await must(["gcc", "-o", folder.file("names"), folder.file("names.c")]);
  const { stdout } = await must([folder.file("names")]);
  return Object.fromEntries(stdout.trimEnd().split("\n").map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
}

test("the numbers of constants.ts are the kernel's", async () => {
  const ours: Record<string, number> = {};
  for (const [object, value] of Object.entries(constants)) {
    if (typeof value === "number") ours[object] = value;
    else for (const [name, number] of Object.entries(value)) ours[`${object}_${name}`] = number;
  }
  expect(Object.keys(ours).length).toBeGreaterThan(190);
  expect(ours).toEqual(await valuesOf(Object.keys(ours)));
});

test("the numbers of the tables' attributes are those of the names that they have beside them", async () => {
  const ours: Record<string, number> = {};
  for (const file of readdirSync(SOURCE)) {
    const text = readFileSync(join(SOURCE, file), "utf8");
    for (const [, number, name = ""] of text.matchAll(/\b(?:attribute|repeated)\((\d+), "(\w+)"/g)) ours[name] = Number(number);
  }
  expect(Object.keys(ours).length).toBeGreaterThan(200);
  expect(ours).toEqual(await valuesOf(Object.keys(ours)));
});
