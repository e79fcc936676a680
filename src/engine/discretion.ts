import { messageOf, OpError } from "../core/errors.ts";

const HIDDEN = "<secret>";

/** What a plugin says of a step, without the secrets that it was given for it. */
export interface Discretion {
  text(said: string): string;
  /** The error itself where it tells none; otherwise one of the same kind, without what caused it. */
  error(error: unknown): unknown;
}

export function tellingNo(secrets: readonly string[]): Discretion {
  // As they are and as JSON writes them; the longest first, since one may hold another.
  const forms = secrets.filter((secret) => secret !== "").flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const known = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const text = (said: string) => known.reduce((left, secret) => left.replaceAll(secret, HIDDEN), said);
  return {
    text,
    error(error) {
      if (known.length === 0 || textsOf(error).every((said) => text(said) === said)) return error;
      const message = text(messageOf(error));
      if (!(error instanceof OpError)) return new OpError("internal", message);
      const { kind, operation, retryable, details, hint } = error;
      return new OpError(kind, message, {
        retryable,
        details: details.map(text),
        ...(operation === undefined ? {} : { operation: text(operation) }),
        ...(hint === undefined ? {} : { hint: text(hint) }),
      });
    },
  };
}

/** Every text in an error: its message and stack, its causes, and whatever else it has. */
function textsOf(said: unknown, seen = new Set<unknown>()): string[] {
  if (typeof said !== "object" || said === null) return [String(said)];
  if (seen.has(said)) return [];
  seen.add(said);
  const own = said as Readonly<Record<string, unknown>>;
  return Object.getOwnPropertyNames(said).flatMap((name) => textsOf(own[name], seen));
}
