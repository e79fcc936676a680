/*
 * What error codes mean: OpenFlow 1.4, 7.4.4 "Error Message". Those that a request of ours can bring about; any other keeps its numbers.
 */

export interface ErrorWords {
  /** The specification's own name. */
  readonly name: string;
  readonly words: string;
}

type Row = readonly [name: string, words: string];

/** By type, then by code. */
const ROWS: Readonly<Record<number, readonly Row[]>> = {
  0: [["OFPHFC_INCOMPATIBLE", "no version of OpenFlow in common"], ["OFPHFC_EPERM", "not allowed"]],
  1: [
    ["OFPBRC_BAD_VERSION", "the version is not supported"],
    ["OFPBRC_BAD_TYPE", "this kind of message is not supported"],
    ["OFPBRC_BAD_MULTIPART", "this kind of multipart request is not supported"],
    ["OFPBRC_BAD_EXPERIMENTER", "the extension is not supported"],
    ["OFPBRC_BAD_EXP_TYPE", "this message of the extension is not supported"],
    ["OFPBRC_EPERM", "not allowed"],
    ["OFPBRC_BAD_LEN", "the message has the wrong length"],
    ["OFPBRC_BUFFER_EMPTY", "the buffer has been used"],
    ["OFPBRC_BUFFER_UNKNOWN", "there is no such buffer"],
    ["OFPBRC_BAD_TABLE_ID", "there is no such table"],
    ["OFPBRC_IS_SLAVE", "this controller may only read"],
    ["OFPBRC_BAD_PORT", "there is no such port"],
    ["OFPBRC_BAD_PACKET", "the packet is not valid"],
    ["OFPBRC_MULTIPART_BUFFER_OVERFLOW", "the request has too many parts"],
    ["OFPBRC_MULTIPART_REQUEST_TIMEOUT", "the request was not finished in time"],
    ["OFPBRC_MULTIPART_REPLY_TIMEOUT", "the answer was not finished in time"],
  ],
  2: [
    ["OFPBAC_BAD_TYPE", "the action is not supported"],
    ["OFPBAC_BAD_LEN", "an action has the wrong length"],
    ["OFPBAC_BAD_EXPERIMENTER", "an action is of an extension that is not supported"],
    ["OFPBAC_BAD_EXP_TYPE", "the extension has no such action"],
    ["OFPBAC_BAD_OUT_PORT", "an action's port cannot be output to"],
    ["OFPBAC_BAD_ARGUMENT", "an action's argument is not valid"],
    ["OFPBAC_EPERM", "an action is not allowed"],
    ["OFPBAC_TOO_MANY", "there are too many actions"],
    ["OFPBAC_BAD_QUEUE", "there is no such queue"],
    ["OFPBAC_BAD_OUT_GROUP", "there is no such group"],
    ["OFPBAC_MATCH_INCONSISTENT", "an action does not fit what is matched: it needs a match on the packet's type"],
    ["OFPBAC_UNSUPPORTED_ORDER", "the actions' order is not supported"],
    ["OFPBAC_BAD_TAG", "an action's tag is not supported"],
    ["OFPBAC_BAD_SET_TYPE", "an action names a field that is not supported"],
    ["OFPBAC_BAD_SET_LEN", "an action goes beyond the end of a field"],
    ["OFPBAC_BAD_SET_ARGUMENT", "an action sets a field that cannot be written, or to a value that it cannot have"],
  ],
  3: [
    ["OFPBIC_UNKNOWN_INST", "the instruction is not known"],
    ["OFPBIC_UNSUP_INST", "the instruction is not supported"],
    ["OFPBIC_BAD_TABLE_ID", "goto_table must go to a later table"],
    ["OFPBIC_UNSUP_METADATA", "the metadata is not supported"],
    ["OFPBIC_UNSUP_METADATA_MASK", "the metadata's mask is not supported"],
    ["OFPBIC_BAD_EXPERIMENTER", "an instruction is of an extension that is not supported"],
    ["OFPBIC_BAD_EXP_TYPE", "the extension has no such instruction"],
    ["OFPBIC_BAD_LEN", "an instruction has the wrong length"],
    ["OFPBIC_EPERM", "an instruction is not allowed"],
    ["OFPBIC_DUP_INST", "an instruction is there twice"],
  ],
  4: [
    ["OFPBMC_BAD_TYPE", "this kind of match is not supported"],
    ["OFPBMC_BAD_LEN", "the match has the wrong length"],
    ["OFPBMC_BAD_TAG", "the match has a tag that is not supported"],
    ["OFPBMC_BAD_DL_ADDR_MASK", "the mask of a MAC address is not supported"],
    ["OFPBMC_BAD_NW_ADDR_MASK", "the mask of an IP address is not supported"],
    ["OFPBMC_BAD_WILDCARDS", "something cannot be left open in a match"],
    ["OFPBMC_BAD_FIELD", "a field cannot be matched here"],
    ["OFPBMC_BAD_VALUE", "a field cannot have this value"],
    ["OFPBMC_BAD_MASK", "a field cannot be matched in this part"],
    ["OFPBMC_BAD_PREREQ", "a field is matched without what it needs"],
    ["OFPBMC_DUP_FIELD", "a field is matched twice"],
    ["OFPBMC_EPERM", "a match is not allowed"],
  ],
  5: [
    ["OFPFMFC_UNKNOWN", "the flow could not be changed"],
    ["OFPFMFC_TABLE_FULL", "the table is full"],
    ["OFPFMFC_BAD_TABLE_ID", "there is no such table"],
    ["OFPFMFC_OVERLAP", "the flow overlaps another of the same priority"],
    ["OFPFMFC_EPERM", "the flow must not be changed"],
    ["OFPFMFC_BAD_TIMEOUT", "the timeout is not supported"],
    ["OFPFMFC_BAD_COMMAND", "the command is not supported"],
    ["OFPFMFC_BAD_FLAGS", "the flags are not supported"],
    ["OFPFMFC_CANT_SYNC", "the tables could not be synchronized"],
    ["OFPFMFC_BAD_PRIORITY", "the priority is not supported"],
    ["OFPFMFC_IS_SYNC", "the flow is a copy that cannot be changed"],
  ],
  12: [
    ["OFPMMFC_UNKNOWN", "the meter cannot be used"],
    ["OFPMMFC_METER_EXISTS", "the meter exists"],
    ["OFPMMFC_INVALID_METER", "there is no such meter"],
    ["OFPMMFC_UNKNOWN_METER", "there is no such meter"],
  ],
  17: [
    ["OFPBFC_UNKNOWN", "the bundle failed"],
    ["OFPBFC_EPERM", "the bundle is not allowed"],
    ["OFPBFC_BAD_ID", "there is no such bundle"],
    ["OFPBFC_BUNDLE_EXIST", "there is a bundle with this number"],
    ["OFPBFC_BUNDLE_CLOSED", "the bundle is closed"],
    ["OFPBFC_OUT_OF_BUNDLES", "there are too many bundles"],
    ["OFPBFC_BAD_TYPE", "the bundle's request is not supported"],
    ["OFPBFC_BAD_FLAGS", "the bundle's flags are not supported"],
    ["OFPBFC_MSG_BAD_LEN", "a message in the bundle has the wrong length"],
    ["OFPBFC_MSG_BAD_XID", "a message in the bundle has the wrong xid"],
    ["OFPBFC_MSG_UNSUP", "a message is not supported in bundles"],
    ["OFPBFC_MSG_CONFLICT", "two messages of the bundle contradict each other"],
    ["OFPBFC_MSG_TOO_MANY", "the bundle has too many messages"],
    ["OFPBFC_MSG_FAILED", "a message of the bundle failed"],
    ["OFPBFC_TIMEOUT", "the bundle took too long"],
    ["OFPBFC_BUNDLE_IN_PROGRESS", "another bundle is under way"],
  ],
};

/** Open vSwitch's own (its include/openvswitch/ofp-errors.h). */
const NICIRA_ROWS: Readonly<Record<number, Row>> = {
  2: ["NXBRC_NXM_INVALID", "the match is not valid"],
  3: ["NXBRC_NXM_BAD_TYPE", "a field is not known"],
  4: ["NXBRC_MUST_BE_ZERO", "something must be zero"],
  11: ["NXBAC_MUST_BE_ZERO", "something in an action must be zero"],
  12: ["NXFMFC_HARDWARE", "the hardware failed"],
  13: ["NXFMFC_BAD_TABLE_ID", "there is no such table"],
  15: ["NXBAC_BAD_CONJUNCTION", "conjunction must be the only action, and be (id, k/n) with 1 <= k <= n and 2 <= n <= 64"],
  22: ["NXBFC_BAD_VERSION", "a message in the bundle is of another version"],
  37: ["NXFMFC_INVALID_TLV_FIELD", "a tunnel's field is not mapped"],
  42: ["NXBAC_CT_DATAPATH_SUPPORT", "the datapath has no connection tracking of this kind"],
  43: ["NXBMC_CT_DATAPATH_SUPPORT", "the datapath has no connection tracking of this kind"],
};

/** EXT-230's bundle errors in 1.3 are numbered from here, in the order of 1.4. */
const ONF_BUNDLE_ERRORS = 2300;
const BUNDLE_FAILED = 17;

export function errorWords(type: number, code: number): ErrorWords | undefined {
  return worded(ROWS[type]?.[code]);
}

export function niciraWords(code: number): ErrorWords | undefined {
  return worded(NICIRA_ROWS[code]);
}

export function onfWords(code: number): ErrorWords | undefined {
  return code >= ONF_BUNDLE_ERRORS ? errorWords(BUNDLE_FAILED, code - ONF_BUNDLE_ERRORS) : undefined;
}

function worded(row: Row | undefined): ErrorWords | undefined {
  return row && { name: row[0], words: row[1] };
}
