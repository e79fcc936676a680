import { join } from "node:path";
import { OpError } from "../core/errors.ts";

export const DEFAULT_ROOT = "/var/lib/op-dbus";

/** Where everything is (DESIGN.md, State directory). */
export interface StatePaths {
  readonly root: string;
  /** The audit log, and the room set aside for its last entries. */
  readonly timing: string;
  readonly reserve: string;
  /** The key that signs the log's tree heads. */
  readonly auditKey: string;
  /** The key that secrets' salts are made with. */
  readonly secretsKey: string;
  readonly state: string;
  readonly current: string;
  readonly ownership: string;
  readonly journal: string;
  readonly lock: string;
  /** Read-only snapshots of the two, a folder each. */
  readonly snapshots: string;
  /** Folders of one file a plugin, checkpoint, rejected document and spent plan. */
  readonly plugins: string;
  readonly checkpoints: string;
  readonly rejected: string;
  readonly spent: string;
  readonly keys: string;
  readonly secrets: string;
  /** The folder of links by the names that scripts may know. */
  readonly links: string;
}

export function statePaths(root: string = DEFAULT_ROOT): StatePaths {
  const timing = join(root, "@timing");
  const state = join(root, "@state");
  return {
    root,
    timing,
    reserve: join(timing, "reserve"),
    auditKey: join(root, "keys", "audit.key"),
    secretsKey: join(root, "keys", "secrets.key"),
    state,
    current: join(state, "current.json"),
    ownership: join(state, "ownership.json"),
    journal: join(state, "journal.jsonl"),
    lock: join(state, "lock"),
    snapshots: join(root, "@snapshots"),
    plugins: join(state, "plugins"),
    checkpoints: join(state, "checkpoints"),
    rejected: join(state, "rejected"),
    spent: join(state, "spent"),
    keys: join(root, "keys"),
    secrets: join(root, "secrets"),
    links: join(root, "blockchain"),
  };
}

/** 0700 for what holds private keys and secret values, 0755 for all else. */
export function modeOf(folder: string, { keys, secrets }: StatePaths): number {
  return folder === keys || folder === secrets ? 0o700 : 0o755;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:+@-]{0,99}$/;

/** True for what op-dbus may have named a file. */
export function isName(name: string): boolean {
  return NAME.test(name);
}

/**
 * The file in `folder` for something that a user or a document named. Throws kind invalid for a name that is more than a name:
 * no name leads out of its folder, hides, or is taken for a temporary file.
 */
export function namedFile(folder: string, noun: string, name: string): string {
  if (isName(name)) return join(folder, `${name}.json`);
  const shown = JSON.stringify(name.length > 100 ? `${name.slice(0, 97)}...` : name);
  throw new OpError("invalid", `${shown} cannot be the name of a ${noun}`, {
    hint: "1 to 100 letters, digits and any of . _ : + @ - after a letter or digit",
  });
}
