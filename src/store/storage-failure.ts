import { codeOf, messageOf, OpError } from "../core/errors.ts";

/** What messages call a directory of ours, and how another is named. */
export interface Named {
  readonly noun: string;
  readonly another: string;
}

export interface Storing {
  readonly path: string;
  readonly doing: "written" | "read";
  /** The directory that the path is in. */
  readonly root: string;
  readonly named: Named;
}

/** Kind refused, with the system's error as its cause and in words; what is no error of the system is given back as it is. */
export function storageFailure(cause: unknown, { path, doing, root, named }: Storing): unknown {
  const code = codeOf(cause);
  if (cause instanceof OpError || code === undefined) return cause;
  const [reason, hint] = reasonOf(code, doing, named.another) ?? [`cannot be ${doing}: ${messageOf(cause)}`];
  return new OpError("refused", `The ${named.noun} ${root} ${reason}`, {
    cause,
    operation: `${doing === "written" ? "write" : "read"} ${path}`,
    details: [`${path}: ${messageOf(cause)}`],
    ...(hint === undefined ? {} : { hint }),
  });
}

function reasonOf(code: string, doing: "written" | "read", another: string): [reason: string, hint?: string] | undefined {
  const others: [reason: string, hint?: string] = [`may not be ${doing} by this user`, `Run it as root, or ${another}`];
  const reasons: Readonly<Record<string, [reason: string, hint?: string]>> = {
    EROFS: ["is on a read-only file system"],
    EACCES: others,
    EPERM: others,
    ENOSPC: ["is on a full file system"],
    EDQUOT: ["is on a file system whose quota is used up"],
    ENOTDIR: ["is not a folder, or has a file where a folder belongs"],
    EEXIST: ["is not a folder, or has a file where a folder belongs"],
    EISDIR: ["has a folder where a file belongs"],
  };
  return reasons[code];
}
