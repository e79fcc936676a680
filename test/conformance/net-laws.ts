import { lawsFor } from "./laws.ts";
import { netSubject } from "./net-subject.ts";

lawsFor(netSubject);
