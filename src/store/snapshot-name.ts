const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z$/;

/** A snapshot by the time it was made, "20261120T220501.123Z". */
export interface Snapshot {
  readonly name: string;
  readonly made: Date;
}

export function snapshotName(time: Date): string {
  return time.toISOString().replaceAll(/[-:]/g, "");
}

/** Undefined for what is no snapshot's name. */
export function snapshotNamed(name: string): Snapshot | undefined {
  const made = new Date(name.replace(NAME, "$1-$2-$3T$4:$5:$6Z"));
  return NAME.test(name) && !Number.isNaN(made.getTime()) && snapshotName(made) === name ? { name, made } : undefined;
}
