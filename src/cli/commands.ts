import type { Entry } from "./command.ts";

/** All there is to say to op-dbus, in the order that help shows. */
export const COMMANDS: readonly Entry[] = [
  {
    name: "query",
    summary: "what is, as a state document",
    load: async () => (await import("./commands/query.ts")).queryCommand,
  },
  {
    name: "plan",
    summary: "what an apply would change",
    load: async () => (await import("./commands/plan.ts")).planCommand,
  },
  {
    name: "diff",
    summary: "what an apply would change, or what changed since a checkpoint",
    load: async () => (await import("./commands/diff.ts")).diffCommand,
  },
  {
    name: "apply",
    summary: "bring the host to the declared state",
    load: async () => (await import("./commands/apply.ts")).applyCommand,
  },
  {
    name: "confirm",
    summary: "keep a change that waits to be confirmed",
    load: async () => (await import("./commands/confirm.ts")).confirmCommand,
  },
  {
    name: "verify",
    summary: "check that the host is as declared",
    load: async () => (await import("./commands/verify.ts")).verifyCommand,
  },
  {
    name: "rollback",
    summary: "undo the latest apply, or all after a checkpoint",
    load: async () => (await import("./commands/rollback.ts")).rollbackCommand,
  },
  {
    name: "recover",
    summary: "end what was interrupted, or not confirmed in time",
    load: async () => (await import("./commands/recover.ts")).recoverCommand,
  },
  {
    name: "checkpoint",
    summary: "points to roll back to",
    sub: [
      {
        name: "list",
        summary: "all checkpoints, oldest first",
        load: async () => (await import("./commands/checkpoint-list.ts")).checkpointListCommand,
      },
      {
        name: "create",
        summary: "mark this point under a name",
        load: async () => (await import("./commands/checkpoint-create.ts")).checkpointCreateCommand,
      },
      {
        name: "show",
        summary: "what the apply at a checkpoint changed",
        load: async () => (await import("./commands/checkpoint-show.ts")).checkpointShowCommand,
      },
      {
        name: "delete",
        summary: "forget a checkpoint",
        load: async () => (await import("./commands/checkpoint-delete.ts")).checkpointDeleteCommand,
      },
    ],
  },
  {
    name: "time-travel",
    summary: "the state document as it was in force then",
    load: async () => (await import("./commands/time-travel.ts")).timeTravelCommand,
  },
  {
    name: "audit",
    aliases: ["blockchain"],
    summary: "the log of what was done",
    sub: [
      {
        name: "list",
        summary: "entries, newest last",
        load: async () => (await import("./commands/audit-list.ts")).auditListCommand,
      },
      {
        name: "show",
        summary: "one entry in full",
        load: async () => (await import("./commands/audit-show.ts")).auditShowCommand,
      },
      {
        name: "verify",
        summary: "check that nothing in the log was changed",
        load: async () => (await import("./commands/audit-verify.ts")).auditVerifyCommand,
      },
      {
        name: "prove",
        summary: "a proof of one entry that stands on its own",
        load: async () => (await import("./commands/audit-prove.ts")).auditProveCommand,
      },
      {
        name: "search",
        summary: "entries that speak of something, newest first",
        load: async () => (await import("./commands/audit-search.ts")).auditSearchCommand,
      },
      {
        name: "export",
        summary: "all entries, a line each",
        load: async () => (await import("./commands/audit-export.ts")).auditExportCommand,
      },
      {
        name: "key",
        summary: "the key that the log is checked with",
        load: async () => (await import("./commands/audit-key.ts")).auditKeyCommand,
      },
      {
        name: "reveal",
        summary: "the secrets that an entry commits to",
        load: async () => (await import("./commands/audit-reveal.ts")).auditRevealCommand,
      },
      {
        name: "prune",
        summary: "let old entries go, keeping their hashes",
        load: async () => (await import("./commands/audit-prune.ts")).auditPruneCommand,
      },
      {
        name: "snapshots",
        summary: "the read-only snapshots of log and state",
        load: async () => (await import("./commands/audit-snapshots.ts")).auditSnapshotsCommand,
      },
      {
        name: "replicate",
        summary: "bring a copy of the log elsewhere up to date",
        load: async () => (await import("./commands/audit-replicate.ts")).auditReplicateCommand,
      },
      {
        name: "receive",
        summary: "the other end of 'audit replicate' over ssh",
        load: async () => (await import("./commands/audit-receive.ts")).auditReceiveCommand,
      },
    ],
  },
  {
    name: "adopt",
    summary: "take charge of a resource that op-dbus did not make",
    load: async () => (await import("./commands/adopt.ts")).adoptCommand,
  },
  {
    name: "release",
    summary: "let go of a resource, leaving it as it is",
    load: async () => (await import("./commands/release.ts")).releaseCommand,
  },
  {
    name: "init",
    summary: "write a starter state file from what is there",
    load: async () => (await import("./commands/init.ts")).initCommand,
  },
  {
    name: "status",
    summary: "what is in force, and what is unfinished",
    load: async () => (await import("./commands/status.ts")).statusCommand,
  },
  {
    name: "doctor",
    summary: "check that op-dbus has what it needs",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  {
    name: "report",
    summary: "a redacted bundle to send with a bug report",
    load: async () => (await import("./commands/report.ts")).reportCommand,
  },
  {
    name: "schema",
    summary: "JSON Schema of the state document",
    load: async () => (await import("./commands/schema.ts")).schemaCommand,
  },
  {
    name: "completion",
    summary: "completion for bash, zsh or fish",
    load: async () => (await import("./commands/completion.ts")).completionCommand(COMMANDS),
  },
  {
    name: "version",
    summary: "the version",
    load: async () => (await import("./commands/version.ts")).versionCommand,
  },
];
