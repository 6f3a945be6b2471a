import { getNodeValue, type Node, type ParseErrorCode, parseTree, printParseErrorCode } from 'jsonc-parser';

/** JSON that people write: with comments and trailing commas, and with the place of each value in the text. */
export interface Jsonc {
  value: unknown;
  /** Where the value at a path stands: `line 3, column 5`. If it is missing, where the value around it stands. */
  placeOf(path: readonly PropertyKey[]): string;
}

/** Thrown for text that is not JSON; the message begins with line and column. */
export class JsonSyntaxError extends Error {}

export interface JsoncOptions {
  /** Refuses comments and trailing commas, as JSON proper does. */
  isStrict?: boolean;
}

/** Parses JSON, with comments and trailing commas unless `isStrict`. Throws `JsonSyntaxError`. */
export function parseJsonc(text: string, { isStrict = false }: JsoncOptions = {}): Jsonc {
  const errors: { error: ParseErrorCode; offset: number; length: number }[] = [];
  // A byte order mark is replaced rather than removed, so that offsets stay those of the text.
  const tree = parseTree(text.replace(/^\uFEFF/, ' '), errors, {
    disallowComments: isStrict,
    allowTrailingComma: !isStrict,
  });
  const [first] = errors;
  if (first) {
    const found = text.slice(first.offset, first.offset + first.length);
    throw new JsonSyntaxError(`${placeAt(text, first.offset)}: ${wordsFor(first.error, found)}`);
  }
  if (tree === undefined) throw new JsonSyntaxError('line 1, column 1: a value is expected, not the end of the text');
  return { value: toValue(tree), placeOf: (path) => placeAt(text, offsetOf(tree, path)) };
}

/** As `JSON.parse` makes it: `getNodeValue` gives objects without a prototype, which are equal to no others. */
function toValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(toValue);
  if (node.type !== 'object') return getNodeValue(node);
  return Object.fromEntries(
    (node.children ?? []).flatMap(({ children: [name, value] = [] }) =>
      name && value ? [[String(name.value), toValue(value)]] : [],
    ),
  );
}

/** Where the name of the property at a path begins, or the item of a list. */
function offsetOf(node: Node, path: readonly PropertyKey[]): number {
  const [part, ...rest] = path;
  if (part === undefined) return node.offset;
  if (node.type === 'array') {
    const item = node.children?.[Number(part)];
    return item ? offsetOf(item, rest) : node.offset;
  }
  // Of several properties of one name the last one counts.
  const property = node.children?.findLast(({ children: [name] = [] }) => name?.value === part);
  const [name, value] = property?.children ?? [];
  if (!name || !value) return node.offset;
  return rest.length === 0 ? name.offset : offsetOf(value, rest);
}

function placeAt(text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `line ${before.length}, column ${(before.at(-1) ?? '').replace('\uFEFF', '').length + 1}`;
}

const expectations: Readonly<Record<string, string>> = {
  InvalidSymbol: 'a value is expected',
  InvalidNumberFormat: 'this is not a number',
  PropertyNameExpected: 'a name in double quotes is expected',
  ValueExpected: 'a value is expected',
  ColonExpected: 'a colon is expected',
  CommaExpected: 'a comma is expected',
  CloseBraceExpected: 'a closing brace is expected',
  CloseBracketExpected: 'a closing bracket is expected',
  EndOfFileExpected: 'the text should end before this',
  InvalidCommentToken: 'comments are not allowed here',
  UnexpectedEndOfComment: 'the comment has no end',
  UnexpectedEndOfString: 'the string has no closing quote',
  UnexpectedEndOfNumber: 'the number is not complete',
  InvalidUnicode: '\\u needs four hexadecimal digits',
  InvalidEscapeCharacter: 'a backslash before this letter means nothing',
  InvalidCharacter: 'a control character has to be written as \\u and four digits',
};

function wordsFor(code: ParseErrorCode, found: string): string {
  const expected = expectations[printParseErrorCode(code)] ?? 'the text is not as it should be';
  const [line = ''] = found.split('\n');
  return line === '' ? `${expected}, not the end of the text` : `${expected}, not '${line.slice(0, 40)}'`;
}
