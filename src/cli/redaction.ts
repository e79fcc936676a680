import { isObject, type Json } from "../core/json.ts";

/** Strings that name this machine and its people, and what stands for each in a bundle. */
export interface Redaction {
  readonly hostnames: readonly string[];
  readonly users: readonly string[];
}

/** What the bundle itself says about what is not in it. */
export const LEFT_OUT = [
  "host names, as <host>",
  "user names, as <user-N>; root stays",
  "IP and MAC addresses, as <address>",
  "values before and after a change, but true, false and unset",
  "quoted values within messages, as <value>",
  "everything under a key 'secret', as <secret>",
  "state documents, unit logs, boot and machine ids",
];

/** The value without what is nobody else's business. Names of units and keys stay: without them it would say nothing. */
export function redact(value: Json, redaction: Redaction): Json {
  const replace = replacer(redaction);
  const walk = (inner: Json): Json => {
    if (typeof inner === "string") return replace(inner);
    if (Array.isArray(inner)) return inner.map((item: Json) => walk(item));
    if (!isObject(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, of]) => [replace(key), key === "secret" ? "<secret>" : walk(of)]));
  };
  return walk(value);
}

/** A value that a change had or gave: what it was set to may be anything, so only what says nothing stays. */
export function withoutContent(value: Json | undefined): Json {
  if (value === undefined || value === null || typeof value === "boolean") return value ?? null;
  return "<value>";
}

/** A message, its quoted values taken out: "MemoryMax is \"2G\"" is MemoryMax is <value>. */
export function withoutQuoted(detail: Json | undefined): Json {
  if (typeof detail === "string") return detail.replace(/"(?:[^"\\]|\\.)*"/g, "<value>");
  if (Array.isArray(detail)) return detail.map((item: Json) => withoutQuoted(item));
  return isObject(detail) ? "<value>" : (detail ?? null);
}

function replacer({ hostnames, users }: Redaction): (text: string) => string {
  const names = new Map<string, string>();
  for (const name of hostnames) names.set(name, "<host>");
  const people = [...new Set(users)].filter((name) => name !== "" && name !== "root");
  for (const [index, name] of people.entries()) names.set(name, `<user-${index + 1}>`);
  // The longest first: a host's full name holds its short one.
  const known = [...names.keys()].filter((name) => name !== "").sort((a, b) => b.length - a.length);
  const pattern = known.length === 0 ? undefined : new RegExp(`(?<![A-Za-z0-9_-])(?:${known.map((name) => RegExp.escape(name)).join("|")})(?![A-Za-z0-9_-])`, "g");
  return (text) => {
    const named = pattern === undefined ? text : text.replace(pattern, (name) => names.get(name) ?? "");
    return named.replace(/(\/home\/)[^/\s"']+/g, "$1<user>").replace(ADDRESS, "<address>");
  };
}

// MAC, IPv4 and IPv6 addresses; a time of day has two colons at most and is left.
const ADDRESS = /\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|\b(?:\d{1,3}\.){3}\d{1,3}\b|(?<![0-9a-z:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![0-9a-z:])/gi;
