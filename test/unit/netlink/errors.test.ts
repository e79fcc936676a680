import { expect, test } from "bun:test";
import { OpError } from "../../../src/core/errors.ts";
import { addAddress } from "../../../src/protocols/netlink/changes.ts";
import { netlinkError, netlinkErrorCode } from "../../../src/protocols/netlink/errors.ts";
import { createLink } from "../../../src/protocols/netlink/link-changes.ts";

const [EPERM, ENOENT, EBUSY, EEXIST, ENODEV, EINVAL, EOPNOTSUPP, EADDRNOTAVAIL, NO_NAME] = [1, 2, 16, 17, 19, 22, 95, 99, 4000] as const;
const vlan = createLink({ name: "eth0.5", link: 2, linkInfo: { kind: "vlan", vlan: { id: 5 } } });
const address = addAddress({ index: 2, address: "10.0.0.1", prefixLength: 24 });

test("netlinkError has a kind by errno, and its name for who asks", () => {
  const told = [EPERM, ENOENT, EBUSY, EEXIST, ENODEV, EINVAL, EOPNOTSUPP, EADDRNOTAVAIL, NO_NAME].map((errno) => {
    const error = netlinkError({ errno }, address);
    return [error.kind, error.retryable, netlinkErrorCode(error)];
  });
  expect(told).toEqual([
    ["refused", false, "EPERM"],
    ["failed", false, "ENOENT"],
    ["failed", true, "EBUSY"],
    ["failed", false, "EEXIST"],
    ["failed", false, "ENODEV"],
    ["failed", false, "EINVAL"],
    ["unavailable", false, "EOPNOTSUPP"],
    ["failed", false, "EADDRNOTAVAIL"],
    ["failed", false, "errno 4000"],
  ]);
});

test("EPERM with words is not about rights", () => {
  expect(netlinkError({ errno: EPERM, text: "Device can not be enslaved while up" }, vlan).kind).toBe("failed");
});

test("netlinkErrorCode is found below causes, and is of the kernel's refusals alone", () => {
  const refusal = netlinkError({ errno: EEXIST }, address);
  expect(netlinkErrorCode(new OpError("failed", "wrapped", { cause: refusal }))).toBe("EEXIST");
  expect([netlinkErrorCode(Object.assign(new Error("x"), { code: "EEXIST" })), netlinkErrorCode("EEXIST")]).toEqual([undefined, undefined]);
});

test("netlinkError says it in the kernel's words, in one line, or in those of errno", () => {
  expect(netlinkError({ errno: EINVAL, text: "Invalid\nprefix  length." }, address).message).toBe("Could not add address 10.0.0.1/24 to link 2: Invalid prefix  length (EINVAL)");
  expect(netlinkError({ errno: EINVAL, text: " " }, address).message).toBe("Could not add address 10.0.0.1/24 to link 2: Invalid argument (EINVAL)");
  expect(netlinkError({ errno: EINVAL, text: "x".repeat(5000) }, address).message.length).toBeLessThan(1200);
});

test("netlinkError names the attribute that is wrong, or missing, and where", () => {
  const message = (remarks: object) => netlinkError({ errno: EINVAL, text: "Wrong", ...remarks }, vlan).message.replace("Could not create link eth0.5: Wrong (EINVAL)", "");
  const idOffset = 16 + vlan.payload.indexOf(Buffer.from("0600010005000000", "hex"));
  const dataOffset = idOffset - 4;
  expect([message({ offset: idOffset }), message({ offset: 16 }), message({ offset: 9999 })]).toEqual([", at linkInfo.vlan.id (IFLA_VLAN_ID)", "", ""]);
  expect([message({ missing: 10 }), message({ missing: 5, missingNest: dataOffset }), message({ missing: 77, missingNest: 9999 })]).toEqual([
    ", missing IFLA_MASTER",
    ", missing IFLA_VLAN_PROTOCOL",
    ", missing attribute 77",
  ]);
});

test("a kind of link that the kernel has no module for is told with its name", () => {
  const text = "Unknown device type";
  expect(netlinkError({ errno: EOPNOTSUPP, text }, vlan).hint).toBe("The kernel has no links of kind 'vlan': its module is not installed, or may not be loaded here");
  expect([netlinkError({ errno: EOPNOTSUPP, text }, address).hint, netlinkError({ errno: EOPNOTSUPP }, vlan).hint]).toEqual([undefined, undefined]);
});
