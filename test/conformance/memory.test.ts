import { heldFor } from "./held.ts";
import { lawsFor } from "./laws.ts";
import { memorySubject } from "./memory-subject.ts";
import { recoveryFor } from "./recovery.ts";
import { secrecyFor } from "./secrecy.ts";

lawsFor(memorySubject);
recoveryFor({ ...memorySubject, runs: 25 });
heldFor({ ...memorySubject, runs: 15 });
secrecyFor({ ...memorySubject, runs: 20 });
