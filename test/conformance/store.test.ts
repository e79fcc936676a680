import { heldFor } from "./held.ts";
import { lawsFor } from "./laws.ts";
import { recoveryFor } from "./recovery.ts";
import { secrecyFor } from "./secrecy.ts";
import { storeSubject } from "./store-subject.ts";

// The state directory in memory and the real one are to agree: the same suite, fewer cases, since each write is synced.
lawsFor(storeSubject);
const { rich: _, ...short } = storeSubject;
recoveryFor({ ...short, runs: 2 });
heldFor({ ...short, runs: 1 });
secrecyFor({ ...storeSubject, runs: 2 });
