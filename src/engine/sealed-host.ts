import type { StateDocument } from "../core/document.ts";
import type { Json } from "../core/json.ts";
import { hasSecrets, isSealed } from "../core/secret.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Host } from "./host.ts";
import { sealedPlugin } from "./sealed-plugin.ts";
import { sealedSection } from "./sealing.ts";

/** A host whose plugins give no secret away, and whose books name no commitment before what it is to is kept. */
export function sealedHost(host: Host): Host {
  if (!host.plugins.some(({ schema }) => hasSecrets(schema))) return host;
  const { journal, audit, ledger, secrets } = host;
  return {
    ...host,
    plugins: host.plugins.map((plugin) => sealedPlugin(plugin, secrets)),
    journal: {
      async begin(header) {
        await secrets.keep(header);
        await journal.begin(header);
      },
      async append(record) {
        await secrets.keep(record);
        await journal.append(record);
      },
      pending: () => journal.pending(),
      close: () => journal.close(),
    },
    audit: {
      async append(events) {
        await secrets.keep(events);
        await audit.append(events);
      },
      reserve: () => audit.reserve(),
      free: () => audit.free(),
      size: () => audit.size(),
      pruned: () => audit.pruned(),
      entries: (range) => audit.entries(range),
    },
    ledger: {
      current: () => ledger.current(),
      ownership: () => ledger.ownership(),
      checkpoints: () => ledger.checkpoints(),
      marks: () => ledger.marks(),
      rejection: (hash) => ledger.rejection(hash),
      rejections: () => ledger.rejections(),
      isSpent: (plan) => ledger.isSpent(plan),
      async commit(commit) {
        await secrets.keep(commit);
        await ledger.commit(commit);
      },
    },
  };
}

/** The document with its secrets sealed, and the commitments in it of which nothing is known. */
export function sealedDocument(document: StateDocument, { plugins, secrets }: Pick<Host, "plugins" | "secrets">): { document: StateDocument; findings: Diagnostic[] } {
  const findings: Diagnostic[] = [];
  const sections: Record<string, Json> = { ...document.plugins };
  for (const plugin of plugins) {
    const section = sections[plugin.name];
    if (section === undefined || !hasSecrets(plugin.schema)) continue;
    sections[plugin.name] = sealedSection(plugin, section, (value, key, path) => {
      const said = isSealed(value) ? secrets.open(value.secret)?.value : value;
      if (typeof said === "string") return { secret: secrets.commit(key, said) };
      findings.push({ path: ["plugins", plugin.name, ...path], message: "This host knows no secret of that commitment", hint: "Write the secret itself: it is kept apart, and never shown" });
      return value;
    });
  }
  return { document: { ...document, plugins: sections }, findings };
}
