/** What a host runs in: its power, and a way in. What it stands on (folder, processes, mounts) is the ground's to clear away. */
export interface Machine {
  /** How often the host has come up. */
  readonly boots: number;
  /** Switches on; done when systemd says that the boot has ended. A host that reboots comes up again by itself. */
  start(): Promise<void>;
  /** Cuts the power: nothing is told. */
  cut(): Promise<void>;
  /** The way to run a program inside, as root. Of this machine's environment nothing may be counted on there. */
  inside(argv: readonly string[]): WayIn;
}

/** How this machine has one program run inside. */
export interface WayIn {
  /** What to run here: its streams and its exit status are the program's. */
  readonly line: readonly string[];
  /** Sends a signal to the program that `line`, as process `entry`, runs. Undefined where it has not begun yet, or is just ending. */
  signal(entry: number, signal: NodeJS.Signals): Promise<"sent" | "ended" | undefined>;
}
