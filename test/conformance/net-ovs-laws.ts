import { lawsFor } from "./laws.ts";
import { netOvsSubject } from "./net-ovs-subject.ts";

lawsFor(netOvsSubject);
