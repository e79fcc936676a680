/*
 * Type signatures: D-Bus specification, "Type System". Pure.
 */

/** One complete type. `child` has an array's element, a struct's members, a dictionary entry's key and value. */
export interface Type {
  readonly type: string;
  readonly child: readonly Type[];
}

const LENGTH_LIMIT = 255;
const DEPTH_LIMIT = 32;
const BASIC = "ybnqiuxtdsogh";

/** A peer chooses the signatures that it sends: what is kept of them is bounded. */
const KNOWN_LIMIT = 1000;
const known = new Map<string, readonly Type[]>();

/** The complete types that a signature lists; undefined for what the specification does not allow. An empty struct is not: an array of it would have no end. */
export function typesOf(signature: string): readonly Type[] | undefined {
  const types = known.get(signature) ?? parse(signature);
  if (types === undefined) return undefined;
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(signature, types);
  return types;
}

function parse(signature: string): readonly Type[] | undefined {
  if (signature.length > LENGTH_LIMIT) return undefined;
  const types: Type[] = [];
  for (let at = 0; at < signature.length; ) {
    const one = typeAt(signature, at, { arrays: 0, structs: 0 });
    if (one === undefined) return undefined;
    types.push(one.type);
    at = one.end;
  }
  return types;
}

interface Depth {
  readonly arrays: number;
  readonly structs: number;
}

interface Parsed {
  readonly type: Type;
  readonly end: number;
}

function typeAt(signature: string, at: number, depth: Depth): Parsed | undefined {
  const type = signature[at] ?? "";
  if (type === "v" || (type !== "" && BASIC.includes(type))) return { type: { type, child: [] }, end: at + 1 };
  if (type === "(") return groupAt(signature, at, { ...depth, structs: depth.structs + 1 });
  if (type !== "a" || depth.arrays >= DEPTH_LIMIT) return undefined;
  const inside = { ...depth, arrays: depth.arrays + 1 };
  const element = signature[at + 1] === "{" ? entryAt(signature, at + 1, inside) : typeAt(signature, at + 1, inside);
  return element && { type: { type: "a", child: [element.type] }, end: element.end };
}

/** A dictionary entry, which is found in an array alone: a basic key and one value. */
function entryAt(signature: string, at: number, depth: Depth): Parsed | undefined {
  const entry = groupAt(signature, at, { ...depth, structs: depth.structs + 1 });
  const [key, value, ...more] = entry?.type.child ?? [];
  return key !== undefined && BASIC.includes(key.type) && value !== undefined && more.length === 0 ? entry : undefined;
}

function groupAt(signature: string, at: number, depth: Depth): Parsed | undefined {
  if (depth.structs > DEPTH_LIMIT) return undefined;
  const [open = "", close] = signature[at] === "{" ? "{}" : "()";
  const child: Type[] = [];
  let end = at + 1;
  while (signature[end] !== close) {
    const member = typeAt(signature, end, depth);
    if (member === undefined) return undefined;
    child.push(member.type);
    end = member.end;
  }
  return child.length === 0 ? undefined : { type: { type: open, child }, end: end + 1 };
}
