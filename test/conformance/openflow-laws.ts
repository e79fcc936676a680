import { lawsFor } from "./laws.ts";
import { openflowSubject } from "./openflow-subject.ts";

lawsFor(openflowSubject);
