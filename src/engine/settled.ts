import type { Identities } from "../core/ownership.ts";
import type { Change } from "../core/plugin.ts";
import type { TransactionHeader } from "../core/ports.ts";
import type { ByPlugin } from "./survey.ts";

/** A transaction that is over, as far as the books need to know. */
export interface Settled {
  readonly header: TransactionHeader;
  /** All that changed, by plugin, in order. */
  readonly changes: ByPlugin<readonly Change[]>;
  /** As the host was read when it was over. */
  readonly identities: ByPlugin<Identities>;
  readonly now: string;
}
