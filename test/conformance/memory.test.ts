import { lawsFor } from "./laws.ts";
import { memorySubject } from "./memory-subject.ts";
import { recoveryFor } from "./recovery.ts";

lawsFor(memorySubject);
recoveryFor({ ...memorySubject, runs: 25 });
