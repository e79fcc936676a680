/** One part of a match: `tcp`, `in_port=1`. */
export interface PrintedWord {
  readonly key: string;
  readonly value?: string;
}

/** Likewise, as people wrote it: `at` is where it stands in their text. */
export interface MatchWord extends PrintedWord {
  readonly at: number;
}

/** `tcp,in_port=1` in its parts. */
export function wordsOf(text: string): MatchWord[] {
  return [...text.matchAll(/[^\s,]+/g)].map(({ 0: part, index: at }) => {
    const equals = part.indexOf("=");
    return equals < 0 ? { key: part, at } : { key: part.slice(0, equals), value: part.slice(equals + 1), at };
  });
}

/** `tcp,in_port=1`. */
export function textOf(words: readonly PrintedWord[]): string {
  return words.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(",");
}
