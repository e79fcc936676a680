import { OpError } from "../../core/errors.ts";

/** A text that is not a match or an action, kind invalid. */
export class SpellingError extends OpError {
  /** Where in the text, in characters from 0. */
  readonly at: number;
  /** Which of several texts, from 0. */
  readonly item: number;

  constructor(message: string, at: number, item = 0) {
    super("invalid", message);
    this.name = "SpellingError";
    this.at = at;
    this.item = item;
  }
}
