import { cpSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Channel, Clock } from "../../../../src/core/ports.ts";
import { openArchive } from "../../../../src/store/audit/archive.ts";
import { LogFiles } from "../../../../src/store/audit/log-files.ts";
import { LogView } from "../../../../src/store/audit/log-view.ts";
import type { Opening } from "../../../../src/store/replica/open-replica.ts";
import { RemoteReplica, type Line } from "../../../../src/store/replica/remote-replica.ts";
import { Replica } from "../../../../src/store/replica/replica.ts";
import type { Replicated } from "../../../../src/store/replica/replication.ts";
import { serveReplica } from "../../../../src/store/replica/serve.ts";
import { StateDirectory } from "../../../../src/store/state-directory.ts";
import { OpError } from "../../../../src/core/errors.ts";
import { sampleEvent } from "../audit/log-copy.ts";
import { keyIn } from "../audit/sample-log.ts";
import { clock, openAt } from "../samples.ts";

/** Logs blocks of some entries each; "held" ones stay in the tail, unpublished. */
export async function logged(root: string, sizes: readonly number[], held = false): Promise<void> {
  const { audit } = openAt(root);
  if (held) await audit.reserve();
  for (const size of sizes) {
    const first = audit.size();
    await audit.append(Array.from({ length: size }, (_, offset) => sampleEvent(first + offset)));
  }
}

/** A state directory with its keys, as it is now. */
export function copyOf(root: string, to: string): string {
  cpSync(root, to, { recursive: true });
  return to;
}

export async function replicateTo(root: string, path: string): Promise<Replicated> {
  return await openArchive({ root }).replicate((log) => Replica.open({ ...log, path }));
}

/** A replica that has a log's entries and is ready for snapshots. */
export async function readyReplica(root: string, path: string): Promise<Replica> {
  const timing = join(root, "@timing");
  const files = new LogFiles(new StateDirectory(root), timing);
  const view = new LogView(files, keyIn(timing));
  const opening: Opening = { path, key: keyIn(timing).toString(), head: view.treeHead ?? "" };
  const replica = await Replica.open(opening);
  await replica.prove(view.consistencyProof(replica.standing.size));
  return replica;
}

/** How many entries a replica has by its own witness, with the log's public key and nothing else of the log. */
export function verifiedSize(path: string, root: string): number {
  return openArchive({ path, key: openArchive({ root }).key }).verify(() => () => undefined).size;
}

/** Every file in a folder by its path, with its bytes; the lock's text says who last held it. */
export function filesIn(folder: string): Record<string, string> {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== "replica.lock");
  return Object.fromEntries(found.map(({ parentPath, name }) => join(parentPath, name)).sort().map((path) => [path.slice(folder.length + 1), readFileSync(path, "latin1")]));
}

/** One way of a channel. */
class Pipe {
  readonly #chunks: Uint8Array[] = [];
  #waiting: (() => void) | undefined;
  #ended = false;

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes.slice());
    this.#waiting?.();
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.();
  }

  async next(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#waiting = resolve));
    return this.#chunks.shift();
  }
}

export interface Conversed {
  /** What the log's side said, all of it. */
  readonly said: Buffer;
  readonly replicated: Replicated | undefined;
  readonly error: unknown;
}

/** Nobody's patience ends. */
const patient: Clock = { ...clock, sleep: () => new Promise(() => undefined) };

/** Replicates through messages, with the replica's end in this process. */
export async function converse(root: string, path: string): Promise<Conversed> {
  const [there, back] = [new Pipe(), new Pipe()];
  const said: Uint8Array[] = [];
  const served = serveReplica({ read: () => there.next(), write: async (bytes) => back.push(bytes) }, (opening) => Replica.open(opening)).then(() => undefined, (error: unknown) => error).finally(() => back.end());
  const line: Line = {
    who: "backup",
    read: () => back.next(),
    async write(bytes) {
      said.push(bytes.slice());
      there.push(bytes);
    },
    trouble: async () => new OpError("unavailable", "The other end ended"),
    async [Symbol.asyncDispose]() {
      there.end();
      await served;
    },
  };
  const outcome = await openArchive({ root }).replicate((log) => RemoteReplica.open(line, { ...log, path, clock: patient })).then((replicated) => ({ replicated, error: undefined }), (error: unknown) => ({ replicated: undefined, error }));
  return { said: Buffer.concat(said), ...outcome };
}

/** The replica's end alone, in the folder that is asked for if it is directly in `above`, given these bytes and then nothing more: what it threw. */
export async function serve(bytes: Uint8Array, above: string): Promise<unknown> {
  const chunks = [bytes];
  const channel: Channel = { read: async () => chunks.shift(), write: async () => undefined };
  return await serveReplica(channel, async (opening) => {
    if (dirname(resolve(opening.path)) === above) return await Replica.open(opening);
    throw new OpError("refused", "That is elsewhere");
  }).then(() => undefined, (thrown: unknown) => thrown);
}
