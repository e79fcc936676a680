import * as v from "valibot";
import { parseCanonical } from "../../core/json.ts";
import { MOST_FILES, MOST_OFFERED, type Manifest } from "./manifest.ts";
import { control, noMessage, type Message } from "./message.ts";

/*
 * The messages about snapshots. "offer" has numbers of entries, "snapshot" a manifest; the answer to either, "wanted", has the places in it of
 * what is to come: snapshots, or files. The bytes of files come in "contents", whole files one after another in that order.
 */

const number = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const ascending = v.check<number[], string>((numbers) => numbers.every((each, index) => index === 0 || each > (numbers[index - 1] ?? each)), "not ascending");
const offerSchema = v.pipe(v.array(number), v.maxLength(MOST_OFFERED));
const wantedSchema = v.pipe(v.array(number), v.maxLength(MOST_FILES), ascending);
const fileSchema = v.strictObject({
  path: v.pipe(v.string(), v.maxLength(4096)),
  mode: v.pipe(v.string(), v.regex(/^[0-7]{1,4}$/)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  size: number,
});
const manifestSchema = v.strictObject({ entry: number, files: v.pipe(v.array(fileSchema), v.maxLength(MOST_FILES)) });

export function offerMessage(entries: readonly number[]): Message {
  return control("offer", entries);
}

export function readOffer({ content }: Message): number[] {
  const value = parseCanonical(content.toString());
  if (!v.is(offerSchema, value)) throw noMessage();
  return value;
}

export function manifestMessage({ entry, files }: Manifest): Message {
  return control("snapshot", { entry, files: files.map(({ path, mode, sha256, sizeBytes }) => ({ path, mode, sha256, size: sizeBytes })) });
}

export function readManifest({ content }: Message): Manifest {
  const value = parseCanonical(content.toString());
  if (!v.is(manifestSchema, value)) throw noMessage();
  return { entry: value.entry, files: value.files.map(({ path, mode, sha256, size }) => ({ path, mode, sha256, sizeBytes: size })) };
}

export function wantedMessage(wanted: readonly number[]): Message {
  return control("wanted", wanted);
}

export function readWanted({ content }: Message): number[] {
  const value = parseCanonical(content.toString());
  if (!v.is(wantedSchema, value)) throw noMessage();
  return value;
}
