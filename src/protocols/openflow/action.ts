/*
 * What a flow does with a packet: OpenFlow 1.4, 7.2.5 "Action Structures", and Open vSwitch's own (ovs-actions(7)). Pure.
 */

export type Action = PlainAction | SetField | Load | Move | OutputField | Connection | Note | RawAction;

/** An action that is some numbers at fixed places; `numbers` is in the order of PLAIN_ACTIONS. */
export interface PlainAction {
  readonly action: PlainName;
  readonly numbers: readonly number[];
}

export interface SetField {
  readonly action: "set_field";
  readonly field: string;
  readonly value: bigint;
}

/** Some bits of a field. */
export interface Subfield {
  readonly field: string;
  readonly offset: number;
  readonly bits: number;
}

/** Puts a number into some bits of a field. */
export interface Load {
  readonly action: "load";
  readonly target: Subfield;
  readonly value: bigint;
}

/** Copies bits from one field to another. */
export interface Move {
  readonly action: "move";
  readonly source: Subfield;
  readonly target: Subfield;
}

/** Output to the port whose number a field has. */
export interface OutputField {
  readonly action: "output_field";
  readonly source: Subfield;
  readonly maxLength: number;
}

/** Connection tracking: ovs-actions(7), "The ct action". */
export interface Connection {
  readonly action: "ct";
  readonly commit: boolean;
  readonly force: boolean;
  /** Where the packet goes on once it is tracked. */
  readonly table?: number;
  readonly zone: number | Subfield;
  /** The port of the protocol that is helped along, 0 for none. */
  readonly helper: number;
  readonly exec: readonly Action[];
}

/** Bytes that mean nothing to the switch. */
export interface Note {
  readonly action: "note";
  readonly bytes: Uint8Array;
}

/** What is not known here, as its bytes. */
export interface RawAction {
  readonly action: "raw";
  readonly bytes: Uint8Array;
}

/** Where a plain action's numbers stand, and how long each is, in bytes. */
export interface Plain {
  readonly type: number;
  readonly length: number;
  readonly vendor?: true;
  readonly numbers: readonly (readonly [at: number, size: 1 | 2 | 4])[];
}

export const PLAIN_ACTIONS = {
  output: { type: 0, length: 16, numbers: [[4, 4], [8, 2]] },
  set_mpls_ttl: { type: 15, length: 8, numbers: [[4, 1]] },
  dec_mpls_ttl: { type: 16, length: 8, numbers: [] },
  push_vlan: { type: 17, length: 8, numbers: [[4, 2]] },
  pop_vlan: { type: 18, length: 8, numbers: [] },
  push_mpls: { type: 19, length: 8, numbers: [[4, 2]] },
  pop_mpls: { type: 20, length: 8, numbers: [[4, 2]] },
  set_queue: { type: 21, length: 8, numbers: [[4, 4]] },
  group: { type: 22, length: 8, numbers: [[4, 4]] },
  mod_nw_ttl: { type: 23, length: 8, numbers: [[4, 1]] },
  dec_ttl: { type: 24, length: 8, numbers: [] },
  resubmit: { type: 1, length: 16, vendor: true, numbers: [[10, 2]] },
  pop_queue: { type: 5, length: 16, vendor: true, numbers: [] },
  resubmit_table: { type: 14, length: 16, vendor: true, numbers: [[10, 2], [12, 1]] },
  exit: { type: 17, length: 16, vendor: true, numbers: [] },
  conjunction: { type: 34, length: 16, vendor: true, numbers: [[10, 1], [11, 1], [12, 4]] },
  output_truncated: { type: 39, length: 16, vendor: true, numbers: [[10, 2], [12, 4]] },
  ct_clear: { type: 43, length: 16, vendor: true, numbers: [] },
  resubmit_ct: { type: 44, length: 16, vendor: true, numbers: [[10, 2], [12, 1]] },
} as const satisfies Readonly<Record<string, Plain>>;

export type PlainName = keyof typeof PLAIN_ACTIONS;

export function isPlain(action: Action): action is PlainAction {
  return Object.hasOwn(PLAIN_ACTIONS, action.action);
}
