import { expect, test } from "bun:test";
import { vlanInfos, vlanRanges, type VlanRange } from "../../../src/protocols/netlink/bridge.ts";
import { BRIDGE_VLAN_INFO } from "../../../src/protocols/netlink/constants.ts";

const { PVID, UNTAGGED, RANGE_BEGIN, RANGE_END } = BRIDGE_VLAN_INFO;

test("vlanInfos and vlanRanges are each other's opposites", () => {
  const ranges: VlanRange[] = [{ first: 1, last: 1, pvid: true, untagged: true }, { first: 2, last: 4094 }, { first: 7, last: 9, untagged: true }, { first: 11, last: 11 }];
  const infos = vlanInfos(ranges);
  expect(infos.slice(0, 3)).toEqual([{ flags: PVID | UNTAGGED, id: 1 }, { flags: RANGE_BEGIN, id: 2 }, { flags: RANGE_END, id: 4094 }]);
  expect(vlanRanges(infos)).toEqual(ranges);
  expect(vlanRanges([])).toEqual([]);
});

test("vlanRanges takes an end or a beginning that is alone for one VLAN", () => {
  const alone = [{ flags: RANGE_END, id: 3 }, { flags: RANGE_BEGIN, id: 5 }, { flags: 0, id: 6 }, { flags: RANGE_BEGIN, id: 8 }];
  expect(vlanRanges(alone)).toEqual([3, 5, 6, 8].map((id) => ({ first: id, last: id })));
});
