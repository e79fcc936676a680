import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { snapshotTaken } from "../../../src/store/audit/snapshot-entry.ts";
import { contentRoot } from "../../../src/store/content-root.ts";
import { openAt } from "./samples.ts";

/** Names in the order of their times. */
export const [FIRST, SECOND, THIRD] = ["20261120T170000.000Z", "20261120T180000.000Z", "20261120T190000.000Z"];

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Logs a snapshot, as if these files were the state then; the copy has no need of BTRFS. */
export async function snapshotted(root: string, name: string, files: Files, spoil: (state: string) => void = () => undefined): Promise<number> {
  const { audit, paths } = openAt(root);
  if (audit.size() === 0) await audit.append([{ kind: "plan" }]);
  const state = join(paths.snapshots, name, "state");
  cpSync(paths.timing, join(paths.snapshots, name, "timing"), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(state, path)), { recursive: true });
    writeFileSync(join(state, path), content);
    chmodSync(join(state, path), path === "lock" ? 0o600 : 0o644);
  }
  spoil(state);
  return await logSnapshot(root, name, contentRoot(state));
}

/** Logs that there was a snapshot of such a content root, and returns the entry's number. */
export async function logSnapshot(root: string, name: string, state: string): Promise<number> {
  const { audit } = openAt(root);
  const entry = audit.size();
  await audit.append([snapshotTaken(name, { tree_head: { size: entry, root: "AAAA" }, state })]);
  return entry;
}

/** As retention does. */
export function letGo(root: string, name: string): void {
  rmSync(join(openAt(root).paths.snapshots, name), { recursive: true });
}

/** Three of them; what is in one is for the most part in the next. */
export async function threeSnapshots(root: string): Promise<void> {
  const large = Buffer.alloc(1_500_000, "large ");
  await snapshotted(root, FIRST, { lock: "1", "current.json": "{}", "checkpoints/a.json": large });
  await snapshotted(root, SECOND, { lock: "2", "current.json": "{}", "checkpoints/a.json": large, "checkpoints/b.json": "two", "plugins/empty.json": "" });
  await snapshotted(root, THIRD, { lock: "3", "current.json": '{"version":1}', "checkpoints/b.json": "two" });
}
