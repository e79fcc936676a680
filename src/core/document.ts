import type { Diagnostic, ParsedText } from "./diagnostic.ts";
import { OpError } from "./errors.ts";
import { hashJson, isObject, type Json, type JsonObject } from "./json.ts";
import type { Plugin } from "./plugin.ts";
import { diagnose } from "./schema.ts";
import { hasSecrets, isSealed, mapSecrets, type SectionPath } from "./secret.ts";
import { nearest } from "./suggestion.ts";
import { parseText, type TextFormat } from "./text.ts";

/** What the host is to be, one section a plugin. Sections are in the plugins' own shapes, checked. */
export interface StateDocument {
  readonly version: 1;
  readonly plugins: Readonly<Record<string, Json>>;
}

const FINDING_LIMIT = 100;
/** Looking for more of them, to show a line of the document without, would take longer than anybody waits. */
const SECRET_LIMIT = 1000;

export const EMPTY_DOCUMENT: StateDocument = { version: 1, plugins: {} };

/** A document that cannot be used, with every reason and its place. */
export class DocumentError extends OpError {
  readonly diagnostics: readonly Diagnostic[];
  /** The file or "standard input". */
  readonly source: string;
  /** To show places in; without what is secret, and nothing where that cannot be told apart. */
  readonly text: string;

  constructor(diagnostics: readonly Diagnostic[], source: string, text: string) {
    const [first] = diagnostics;
    super("invalid", `${source}: ${first?.message ?? "Not a state document"}`);
    this.diagnostics = diagnostics;
    this.source = source;
    this.text = text;
  }
}

export interface DocumentSource {
  /** As the user named it. */
  readonly name: string;
  readonly text: string;
  readonly format: TextFormat;
}

/** A checked document with its text, so that what the host refuses later can be pointed at too. */
export interface SourcedDocument {
  readonly document: StateDocument;
  /** Throws a DocumentError at the places of the findings. */
  reject(findings: readonly Diagnostic[]): never;
}

/** Throws a DocumentError that holds everything wrong with the text, nothing of which reaches a plugin. */
export function parseDocument(source: DocumentSource, plugins: readonly Plugin[]): SourcedDocument {
  const secretive = plugins.some(({ schema }) => hasSecrets(schema));
  const parsed = parseText(source.text, source.format);
  if (Array.isArray(parsed)) throw new DocumentError(secretive ? parsed.map(discreet) : parsed, source.name, secretive ? "" : source.text);
  const text = parsed as ParsedText;
  const place = (findings: readonly Diagnostic[]): never => {
    throw new DocumentError(inMeasure(findings, text), source.name, secretive ? textWithoutSecrets(text, plugins) : source.text);
  };
  const findings = check(text.value, plugins);
  if (findings.length > 0) return place(findings);
  const { plugins: sections } = text.value as JsonObject & { plugins: JsonObject };
  return { document: { version: 1, plugins: sections }, reject: place };
}

/** The plugins that a document in plain JSON has sections for; undefined for any other text. Nothing of it is checked. */
export function sectionNames(text: string): readonly string[] | undefined {
  try {
    const { plugins } = JSON.parse(text) as { readonly plugins?: unknown };
    return isObject(plugins) ? Object.keys(plugins) : undefined;
  } catch {
    return undefined;
  }
}

/** The document with only one plugin's section, or none where it does not name the plugin. */
export function restrictTo(document: StateDocument, plugin: string | undefined): StateDocument {
  if (plugin === undefined) return document;
  const section = document.plugins[plugin];
  return { version: 1, plugins: section === undefined ? {} : { [plugin]: section } };
}

export function documentHash(document: StateDocument): string {
  return hashJson({ version: document.version, plugins: document.plugins });
}

function check(value: Json, plugins: readonly Plugin[]): Diagnostic[] {
  if (!isObject(value)) return [{ message: "A state document is an object", path: [], hint: shape() }];
  const findings: Diagnostic[] = [];
  for (const key of Object.keys(value)) {
    if (!["version", "plugins", "$schema"].includes(key)) findings.push(unknown(key, [key], ["version", "plugins"]));
  }
  if (!Object.hasOwn(value, "version")) findings.push({ message: "Missing 'version'", path: [], hint: shape() });
  else if (!([1, "1", "1.0"] as Json[]).includes(value.version as Json)) {
    findings.push({ message: `'version' is ${JSON.stringify(value.version)}, allowed is 1`, path: ["version"] });
  }
  if (!isObject(value.plugins)) {
    const message = Object.hasOwn(value, "plugins") ? "'plugins' is to be an object" : "Missing 'plugins'";
    return [...findings, { message, path: Object.hasOwn(value, "plugins") ? ["plugins"] : [], hint: shape() }];
  }
  for (const [name, section] of Object.entries(value.plugins)) {
    const plugin = plugins.find((candidate) => candidate.name === name);
    if (plugin === undefined) {
      findings.push(unknown(name, ["plugins", name], plugins.map((known) => known.name), "plugin"));
      continue;
    }
    for (const finding of diagnose(plugin.schema, section, ["plugins", name])) findings.push(finding);
  }
  return findings;
}

/** What a parser repeats of a text that it does not understand may be a secret. */
function discreet({ message, hint: _, ...rest }: Diagnostic): Diagnostic {
  return { ...rest, message: message.replace(/"[^]*"|\d{8,}/, "...") };
}

function textWithoutSecrets(text: ParsedText, plugins: readonly Plugin[]): string {
  const paths = secretsIn(text.value, plugins);
  return paths.length > SECRET_LIMIT ? "" : (text.without(paths) ?? "");
}

/** Where the text of a secret stands, in a document that may be wrong in any way. */
function secretsIn(value: Json, plugins: readonly Plugin[]): SectionPath[] {
  const paths: SectionPath[] = [];
  if (!isObject(value) || !isObject(value.plugins)) return paths;
  for (const { name, schema } of plugins) {
    mapSecrets(schema, value.plugins[name] ?? null, (secret, path) => {
      if (!isSealed(secret)) paths.push(["plugins", name, ...path]);
      return secret;
    });
  }
  return paths;
}

/** The findings at their places, unless they are more than anybody reads. */
function inMeasure(findings: readonly Diagnostic[], text: ParsedText): Diagnostic[] {
  const shown = findings.slice(0, FINDING_LIMIT).map((finding) => located(finding, text)).sort(byPosition);
  const more = findings.length - shown.length;
  return more === 0 ? shown : [...shown, { message: `And ${more} more like these`, path: [] }];
}

function located(finding: Diagnostic, text: ParsedText): Diagnostic {
  for (let length = finding.path.length; length >= 0; length -= 1) {
    const position = text.position(finding.path.slice(0, length));
    if (position !== undefined) return { ...finding, position };
  }
  return finding;
}

function byPosition({ position: a }: Diagnostic, { position: b }: Diagnostic): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

function unknown(key: string, path: string[], allowed: readonly string[], noun = "key"): Diagnostic {
  const near = nearest(key, allowed);
  const hint = near === undefined ? `Allowed: ${allowed.join(", ") || "none"}` : `Did you mean '${near}'?`;
  return { message: `Unknown ${noun} '${key}'`, path, hint };
}

function shape(): string {
  return 'It looks like { "version": 1, "plugins": { … } }';
}
