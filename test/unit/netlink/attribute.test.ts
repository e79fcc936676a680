import { expect, test } from "bun:test";
import { attribute, AttributeTable, ProtocolViolation, repeated } from "../../../src/protocols/netlink/attribute.ts";
import { be16, ip, mac, present, string, struct, u16, u32, u8 } from "../../../src/protocols/netlink/form.ts";
import { Payload } from "../../../src/protocols/netlink/payload.ts";
import { Writer } from "../../../src/protocols/netlink/writer.ts";

const INNER = new AttributeTable({ id: attribute(1, "T_ID", u16), name: attribute(2, "T_NAME", string), here: attribute(3, "T_HERE", present) });

const TABLE = new AttributeTable({
  mtu: attribute(4, "T_MTU", u32),
  kind: attribute(6, "T_KIND", string),
  inner: attribute(5, "T_DATA", INNER, { when: ["kind", "inner"], flagged: true }),
  bytes: attribute(5, "T_DATA", mac),
  each: repeated(7, "T_EACH", u8),
});

const THING = new Payload(struct({ family: u8, unused: u8, index: u16 }), TABLE);

function encoded(values: Parameters<typeof TABLE.encode>[0]): Buffer {
  const writer = new Writer();
  TABLE.encode(values, writer);
  return writer.bytes();
}

const decoded = (hex: string) => {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return TABLE.decode(bytes, 0, bytes.length);
};

test("AttributeTable writes length, type, payload and padding, in the order of the keys", () => {
  expect(encoded({ kind: "x", mtu: 1500, each: [1, 2] }).toString("hex")).toBe("0600060078000000" + "08000400dc050000" + "0500070001000000" + "0500070002000000");
  expect(encoded({ kind: "inner", inner: { id: 5, here: true } }).toString("hex")).toBe("0a000600696e6e6572000000" + "10000580" + "0600010005000000" + "04000300");
});

test("AttributeTable decodes what it encodes; the same number means another thing after another value", () => {
  for (const values of [{ kind: "inner", inner: { id: 5, name: "ü" } }, { kind: "other", bytes: "0a:0b" }, { mtu: 0xffff_ffff, each: [3] }, {}]) {
    const bytes = encoded(values);
    expect(TABLE.decode(bytes, 0, bytes.length)).toEqual(values);
  }
});

test("what is not known, came before, or does not have its form is kept as bytes, in place", () => {
  const strange = "05006300ff000000" + "08000400dc050000" + "0800040001000000" + "0600070001020000" + "0600060078790000" + "05006300fe000000";
  const values = decoded(strange);
  expect(values).toEqual({
    "#99": [Buffer.of(0xff), Buffer.of(0xfe)],
    mtu: 1500,
    "#4": [Buffer.of(1, 0, 0, 0)],
    "#7": [Buffer.of(1, 2)],
    "#6": [Buffer.from("xy")],
  });
  // Two of the same unknown number are together, wherever they were.
  expect(encoded(values).toString("hex")).toBe("05006300ff000000" + "05006300fe000000" + strange.slice(16, -16));
});

test("lengths that do not fit are refused", () => {
  for (const hex of ["0300 0400", "0000 0400", "0900 0400 00000000", "0800 0400 000000", "08", "0800 0400 dc050000 0000"]) {
    expect(() => decoded(hex)).toThrow(ProtocolViolation);
  }
});

test("a value that does not have its form cannot be written", () => {
  const wrong: unknown[] = [{ mtu: -1 }, { mtu: 2 ** 32 }, { mtu: "x" }, { kind: "a\0b" }, { kind: "\ud800" }, { bytes: "1:2" }, { each: 3 }, { nothing: 1 }];
  for (const values of wrong) expect(() => encoded(values as Parameters<typeof TABLE.encode>[0])).toThrow();
});

test("Payload has header and attributes in one value, and refuses what is shorter than its header", () => {
  const bytes = THING.bytes({ family: 2, index: 258, mtu: 9 }, "test");
  expect(bytes.toString("hex")).toBe("02000201" + "0800040009000000");
  expect(THING.decode(bytes)).toEqual({ family: 2, index: 258, mtu: 9 });
  expect(() => THING.decode(Buffer.of(1, 2, 3))).toThrow(ProtocolViolation);
  expect(() => THING.bytes({ family: 300, index: 0 }, "make a thing")).toThrow("Could not make a thing");
});

test("placeAt names the attribute that is at an offset, by header and payload; constantOf one that is missing", () => {
  const payload = THING.bytes({ family: 2, index: 1, mtu: 9, kind: "inner", inner: { id: 5, name: "a" } }, "test");
  const names = [4, 8, 24, 28, 33, 36, 40].map((offset) => THING.placeAt(offset, payload));
  expect(names).toEqual([
    { path: ["mtu"], constant: "T_MTU" },
    { path: ["mtu"], constant: "T_MTU" },
    { path: ["inner"], constant: "T_DATA" },
    { path: ["inner", "id"], constant: "T_ID" },
    { path: ["inner", "id"], constant: "T_ID" },
    { path: ["inner", "name"], constant: "T_NAME" },
    { path: ["inner", "name"], constant: "T_NAME" },
  ]);
  expect([THING.placeAt(0, payload), THING.placeAt(4000, payload)]).toEqual([undefined, undefined]);
  expect([{ number: 6 }, { number: 2, nest: 24 }, { number: 50, nest: 24 }].map((missing) => THING.constantOf(missing, payload))).toEqual(["T_KIND", "T_NAME", "attribute 50"]);
});

test("forms: addresses by their length, ports in network order", () => {
  const table = new AttributeTable({ address: attribute(1, "A", ip), port: attribute(2, "P", be16) });
  const writer = new Writer();
  table.encode({ address: "fd00::1", port: 0x12b5 }, writer);
  expect(writer.bytes().toString("hex")).toBe("14000100fd000000000000000000000000000001" + "0600020012b50000");
  expect(() => table.encode({ address: "fd00::1/64" }, writer)).toThrow("fd00::1/64");
});
