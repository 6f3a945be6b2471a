/** Names from the root of a config text down to one of its values. */
export type Path = readonly string[];

/**
 * Reads a config text, and changes one value of it in place: comments, order, spaces and line ends of all the rest stay
 * as they are. Texts come without a byte order mark.
 */
export interface ConfigFormat {
  /** The whole text as plain values; an empty text is an empty object. Throws a `SyntaxProblem`. */
  parse(text: string): unknown;
  /** Sets a value, and makes the objects above it that are missing. Throws an `UnusualForm`. */
  set(text: string, path: Path, value: unknown): string;
  /** Removes a value with its name. A path that leads nowhere changes nothing. Throws an `UnusualForm`. */
  remove(text: string, path: Path): string;
  /** How a config file with only these values looks. */
  print(value: object): string;
}

/** A text cannot be read; the message begins with line and column, from 1. */
export class SyntaxProblem extends Error {
  override readonly name = 'SyntaxProblem';
}

/** The text is right, but has a form that is not changed in place. */
export class UnusualForm extends Error {
  override readonly name = 'UnusualForm';
}
