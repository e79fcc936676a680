import { OpError } from "../../core/errors.ts";
import type { Operation } from "./operation.ts";
import type { Ovsdb } from "./ovsdb.ts";
import { RowReader } from "./row-reader.ts";
import type { Result } from "./transaction.ts";
import type { TableUpdates } from "./updates.ts";
import { EMPTY, type Value } from "./value.ts";

export interface CommitOptions {
  /** How long ovs-vswitchd may take once the database has the change. */
  readonly timeoutMs?: number;
}

export interface Committed {
  /** Of each operation. */
  readonly results: readonly Result[];
  /**
   * Every interface, of this change or not, that ovs-vswitchd could not make as the database says, and its words for it. Of an interface
   * that it made before it may write so later: of a patch port whose peer goes, for one.
   */
  readonly interfaceErrors: ReadonlyMap<string, string>;
}

const TIMEOUT_MS = 30_000;

/** vswitchd numbers what it has done as the database numbers what it is asked for (ovs-vswitchd.conf.db(5), next_cfg and cur_cfg). */
const NUMBERED: readonly Operation[] = [
  { op: "wait", table: "Open_vSwitch", where: [], columns: ["next_cfg"], until: "!=", rows: [], timeoutMs: 0 },
  { op: "mutate", table: "Open_vSwitch", where: [], mutations: [["next_cfg", "+=", 1]] },
  { op: "select", table: "Open_vSwitch", where: [], columns: ["next_cfg"] },
];

/**
 * Sends the operations as one transaction and waits until ovs-vswitchd has done what the database then says. Rejects as `transact` does,
 * and with kind unavailable when ovs-vswitchd does not come to it in time or the server goes meanwhile: the database keeps the change.
 */
export async function commit(ovsdb: Ovsdb, operations: readonly Operation[], { timeoutMs = TIMEOUT_MS }: CommitOptions = {}): Promise<Committed> {
  const results = await ovsdb.transact([...operations, ...NUMBERED]);
  const asked = numberOf(results.at(-1)?.rows?.[0]?.["next_cfg"]);
  if (asked === undefined) throw new OpError("failed", "Open vSwitch's database does not number its changes");
  await done(ovsdb, asked, timeoutMs);
  return { results: results.slice(0, operations.length), interfaceErrors: await interfaceErrors(ovsdb) };
}

/** What ovs-vswitchd says of interfaces that it could not make, by name. */
export async function interfaceErrors(ovsdb: Ovsdb): Promise<ReadonlyMap<string, string>> {
  const [{ rows = [] } = {}] = await ovsdb.transact([{ op: "select", table: "Interface", where: [["error", "!=", EMPTY]], columns: ["name", "error"] }]);
  const readers = rows.map((row) => new RowReader("Interface", row));
  return new Map(readers.map((row) => [row.string("name"), row.strings("error").join("; ")]));
}

async function done(ovsdb: Ovsdb, asked: bigint, timeoutMs: number): Promise<void> {
  await using monitor = await ovsdb.monitor({ Open_vSwitch: ["cur_cfg"] });
  const timer = setTimeout(() => void monitor[Symbol.asyncDispose](), timeoutMs);
  try {
    for await (const updates of monitor) {
      if (reached(updates) >= asked) return;
    }
  } finally {
    clearTimeout(timer);
  }
  throw new OpError("unavailable", `ovs-vswitchd did not do the change within ${timeoutMs / 1000} s; the database has it`, {
    hint: "Start it with 'systemctl start openvswitch-switch', and see 'journalctl -u ovs-vswitchd'",
    retryable: true,
  });
}

function reached(updates: TableUpdates): bigint {
  const numbers = [...(updates.get("Open_vSwitch")?.values() ?? [])].map((row) => numberOf(row.new?.["cur_cfg"]) ?? -1n);
  return numbers[0] ?? -1n;
}

function numberOf(value: Value | undefined): bigint | undefined {
  return typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value)) ? BigInt(value) : undefined;
}
