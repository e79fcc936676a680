import { codeOf } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { cut, wrap } from "./printable.ts";

/** One of the process's two streams, handed over by main.ts. */
export interface Stream {
  readonly isTerminal: boolean;
  readonly columns: number;
  /** Returns when all of it is written; throws what the system said otherwise. */
  write(text: string): Promise<void>;
}

export type Tone = "bold" | "dim" | "red" | "green" | "yellow";

/** How text for people looks on one stream. */
export interface Style {
  readonly width: number;
  paint(tone: Tone, text: string): string;
}

export interface OutputOptions {
  readonly json: boolean;
  /** NO_COLOR decides; a stream that is no terminal has none anyway. */
  readonly color: boolean;
  /** A terminal that cannot write over a line (TERM=dumb). */
  readonly dumb: boolean;
}

const SGR: Readonly<Record<Tone, string>> = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33" };
/** Lines longer than this are hard to read, however wide the terminal. */
const WIDEST = 110;
/** About so much of a long result is written at once. */
const PIECE_LENGTH = 64 * 1024;

/** Everything op-dbus says. With --json standard output holds one JSON document and nothing else. */
export class Output {
  readonly json: boolean;
  readonly #color: boolean;
  readonly #dumb: boolean;
  readonly #stdout: Stream;
  readonly #stderr: Stream;
  /** Writes to stderr in the order made; what is called from within a change cannot wait for them. */
  #messages: Promise<void> = Promise.resolve();
  #statusShown = false;
  #style: Style | undefined;
  #errorStyle: Style | undefined;
  #trouble: unknown;

  constructor(streams: { readonly stdout: Stream; readonly stderr: Stream }, options: OutputOptions) {
    this.json = options.json;
    this.#stdout = streams.stdout;
    this.#stderr = streams.stderr;
    this.#color = options.color && !options.dumb;
    this.#dumb = options.dumb;
  }

  /** How text on stdout looks. Asked for late: finding out whether it is a terminal costs milliseconds. */
  get style(): Style {
    return (this.#style ??= styleOf(this.#stdout, this.#color));
  }

  get errorStyle(): Style {
    return (this.#errorStyle ??= styleOf(this.#stderr, this.#color));
  }

  /** What went wrong with standard output, if anything. A reader who has read enough (EPIPE) is nothing wrong. */
  get trouble(): unknown {
    return this.#trouble;
  }

  /** The command's result, in the one form that was asked for. */
  async result(value: () => Json, text: () => string): Promise<void> {
    await this.#print(this.json ? JSON.stringify(value(), null, 2) : text());
  }

  /** A result that may be larger than memory: JSON texts, a line each; with --json one list of them. */
  async lines(texts: Iterable<string>): Promise<void> {
    await this.flush();
    let piece = this.json ? "[" : "";
    let first = true;
    for (const text of texts) {
      piece += this.json ? `${first ? "" : ","}\n${text}` : `${text}\n`;
      first = false;
      if (piece.length < PIECE_LENGTH) continue;
      if (!(await this.#put(piece))) return;
      piece = "";
    }
    await this.#put(this.json ? `${piece}\n]\n` : piece);
  }

  /** Text for people that comes before the result: on stdout, or on stderr when that is kept for JSON. */
  async preview(text: string): Promise<void> {
    if (this.json) this.message(text);
    else await this.#print(text);
    await this.#messages;
  }

  /** A line for people on stderr. */
  message(text: string): void {
    this.#say(`${this.#statusShown ? CLEAR : ""}${text}\n`);
    this.#statusShown = false;
  }

  warn(text: string): void {
    const [first = "", ...rest] = wrap(`warning: ${text}`, this.errorStyle.width);
    this.message([this.errorStyle.paint("yellow", first), ...rest].join("\n"));
  }

  /** Text without a newline at its end, for a question. */
  async ask(text: string): Promise<void> {
    this.#say(text);
    await this.#messages;
  }

  /** What is being done now: one line that is written over, on a terminal that can. An empty text takes it away. */
  status(text: string): void {
    if ((text === "" && !this.#statusShown) || this.#dumb || !this.#stderr.isTerminal) return;
    if (text !== "") this.#say(CLEAR + cut(text, this.#stderr.columns - 1));
    else this.#say(CLEAR);
    this.#statusShown = text !== "";
  }

  /** Returns when everything said is written. */
  async flush(): Promise<void> {
    this.status("");
    await this.#messages;
  }

  async #print(text: string): Promise<void> {
    await this.flush();
    await this.#put(`${text}\n`);
  }

  /** False where nobody reads any more, or it cannot be written. */
  async #put(text: string): Promise<boolean> {
    try {
      await this.#stdout.write(text);
      return true;
    } catch (error) {
      if (codeOf(error) !== "EPIPE") this.#trouble ??= error;
      return false;
    }
  }

  #say(text: string): void {
    // Nobody is left to be told that stderr does not work.
    this.#messages = this.#messages.then(() => this.#stderr.write(text)).catch(() => undefined);
  }
}

const CLEAR = "\r\u001b[K";

function styleOf(stream: Stream, color: boolean): Style {
  const width = Math.min(stream.columns, WIDEST);
  if (!stream.isTerminal || !color) return { width, paint: (_, text) => text };
  return { width, paint: (tone, text) => `\u001b[${SGR[tone]}m${text}\u001b[0m` };
}
