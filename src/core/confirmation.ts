/*
 * Commit-confirm: a change that is taken back unless somebody shows in time that the host can still be reached (DESIGN.md, Safety).
 */

/** An instant of one boot. */
export interface BootTime {
  /** Another after every start of the machine, or of the container. */
  readonly boot: string;
  /** Whole milliseconds since it began. */
  readonly ms: number;
}

/** What a change has in its journal that is taken back unless it is confirmed in time. */
export interface Hold {
  readonly withinMs: number;
  /** Counted from before the first write. */
  readonly deadline: BootTime;
}

/**
 * What takes a held change back when nobody is left to do it: at its deadline in this boot, and at the start of the next. It runs
 * `op-dbus recover --guard`, which decides by the journal alone, so that one run too many does nothing.
 */
export interface DeadMan {
  /**
   * Sets up what takes its time, and what runs at the next boot: on the disk when this returns, in the place of what an earlier change left.
   * Throws kind refused, saying why, where this host has nobody to run it.
   */
  prepare(): Promise<void>;
  /** Sets the deadline: known to who will run it when this returns. Throws kind refused. */
  arm(deadline: BootTime): Promise<void>;
  /** Leaves nothing behind; what is not there is gone already. */
  disarm(): Promise<void>;
}

/** What the guards consist of on the disk: a program that nobody replaces meanwhile, and a unit. All throw kind refused. */
export interface GuardFiles {
  /** The copy's path. */
  readonly program: string;
  /** Copies this process's program; root alone can run the copy. */
  copyProgram(): void;
  writeUnit(name: string, text: string): void;
  /** Makes durable what the manager linked or removed at these paths. */
  sync(paths: readonly string[]): void;
  /** What is not there is gone already. */
  removeUnit(name: string): void;
  removeProgram(): void;
}

/** Whether somebody new can get in: what makes a confirmation worth something. */
export interface Reachability {
  /** How the caller's login, as the kernel knows it, shows that for a change that was verified then, or why it does not. */
  proof(verified: BootTime): Proof;
}

export interface Proof {
  readonly proven: boolean;
  /** "by an ssh connection from 192.0.2.7 (process 4711), accepted after the change". */
  readonly what: string;
}

/** A check that stands in for the person. */
export interface Probe {
  /** As the user wrote it: "tcp:192.0.2.1:22". */
  readonly name: string;
  /** Undefined when it succeeded, else why not. Takes no longer than `timeoutMs`. */
  attempt(timeoutMs: number): Promise<string | undefined>;
}
