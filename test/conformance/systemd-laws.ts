import { lawsFor } from "./laws.ts";
import { systemdSubject } from "./systemd-subject.ts";

lawsFor(systemdSubject);
