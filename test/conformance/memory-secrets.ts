import { canonicalJson } from "../../src/core/json.ts";
import type { SecretStore } from "../../src/core/ports.ts";
import { commitmentTo, type Opening } from "../../src/core/secret.ts";
import type { MemoryDisk, Write } from "./memory-host.ts";

/** One process's view of the secrets that outlive it. */
export function secretsOn(disk: Pick<MemoryDisk, "secrets" | "secretsKey">, write: Write): SecretStore {
  const known = new Map<string, Opening>();
  const own: string = crypto.randomUUID();
  const unkept = (named: unknown) => {
    const text = known.size === 0 ? "" : JSON.stringify(named);
    return [...known.keys()].filter((commitment) => text.includes(commitment) && !disk.secrets.has(commitment));
  };
  return {
    commit(key, value) {
      const salt = new Bun.CryptoHasher("sha256", disk.secretsKey ?? own).update(canonicalJson([...key, value])).digest("hex");
      const commitment = commitmentTo({ salt, value });
      known.set(commitment, { salt, value });
      return commitment;
    },
    open: (commitment) => known.get(commitment) ?? disk.secrets.get(commitment),
    unkept,
    async keep(named) {
      const missing = unkept(named);
      if (missing.length > 0 && disk.secretsKey === undefined) await write("secrets key", () => void (disk.secretsKey = own));
      for (const commitment of missing) {
        const opening = known.get(commitment);
        if (opening !== undefined) await write("secret", () => void disk.secrets.set(commitment, opening));
      }
    },
  };
}
