/*
 * Type signatures: D-Bus specification, "Type System". Pure.
 */

/** One complete type. `child` has an array's element, a struct's members, a dictionary entry's key and value. */
export interface Type {
  readonly type: string;
  readonly child: readonly Type[];
}

/** The longest signature there is. */
export const SIGNATURE_LIMIT = 255;

const BASIC = "ybnqiuxtdsogh";
const DEPTH_LIMIT = 32;

/** Whether a type is one that the specification allows. An empty struct is not: an array of it would have no end. */
export function isValidType(type: Type): boolean {
  return isValid(type, 0, 0);
}

function isValid({ type, child }: Type, arrays: number, structs: number): boolean {
  if (arrays > DEPTH_LIMIT || structs > DEPTH_LIMIT) return false;
  if (type === "(") return child.length > 0 && child.every((member) => isValid(member, arrays, structs + 1));
  if (type !== "a") return (type === "v" || BASIC.includes(type)) && child.length === 0;
  const [element] = child;
  if (element?.type !== "{") return element !== undefined && isValid(element, arrays + 1, structs);
  const [key, value, ...more] = element.child;
  return key !== undefined && BASIC.includes(key.type) && value !== undefined && more.length === 0 && isValid(value, arrays + 1, structs + 1);
}
