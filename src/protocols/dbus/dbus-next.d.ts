/* The few modules of dbus-next that client.ts takes; the package declares only its front door. */

declare module "dbus-next/lib/dbus-buffer.js" {
  import type { Type } from "./signature.ts";

  export default class DBusBuffer {
    constructor(buffer: Buffer, startPos: number, endian: number, fds: null, options: { ayBuffer: boolean });
    readonly buffer: Buffer;
    readonly endian: number;
    pos: number;
    align(power: number): void;
    readInt32(): number;
    readString(length: number): string;
    readTree(type: Type): unknown;
    readStruct(types: readonly Type[]): unknown[];
    readArray(element: Type, size: number): unknown;
    readVariant(): unknown;
    readSimpleType(type: string): unknown;
  }
}

declare module "dbus-next/lib/marshall.js" {
  export default function marshall(signature: string, data: readonly unknown[], offset: number): Buffer;
}

declare module "dbus-next/lib/signature.js" {
  import type { Type } from "./signature.ts";

  /** Takes more than the specification allows, and recurses. */
  export function parseSignature(signature: string): Type[];
}

declare module "dbus-next/lib/validators.js" {
  export function isBusNameValid(name: string): boolean;
  export function isObjectPathValid(path: string): boolean;
  export function isInterfaceNameValid(name: string): boolean;
  export function isMemberNameValid(name: string): boolean;
}
