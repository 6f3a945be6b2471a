import {
  createScanner,
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseErrorCode,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';

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

/** The text with the value at a path set. All else stays as it is: comments, order, indent and line ends. */
export function setInJsonc(text: string, path: readonly string[], value: unknown): string {
  const [, mark = '', body = ''] = /^(\uFEFF?)(.*)$/s.exec(text) ?? [];
  const form: Form = {
    indent: /\n([ \t]+)\S/.exec(body)?.[1] ?? '  ',
    lineEnd: body.includes('\r\n') ? '\r\n' : '\n',
  };
  const whole = body.trim() === '' ? `{}${form.lineEnd}` : body;
  return `${mark}${setIn(whole, path, value, form)}`;
}

interface Form {
  indent: string;
  lineEnd: string;
}

function setIn(text: string, path: readonly string[], value: unknown, form: Form): string {
  const tree = parseTree(text);
  // The nearest object there is, and what has to be set in it.
  for (let depth = path.length - 1; tree && depth >= 0; depth--) {
    const parent = findNodeAtLocation(tree, path.slice(0, depth));
    const [name, ...missing] = path.slice(depth);
    if (parent?.type !== 'object' || name === undefined) continue;
    const nested = missing.reduceRight<unknown>((inner, each) => ({ [each]: inner }), value);
    const found = findNodeAtLocation(parent, [name]);
    const written = layOut(nested, depth + 1, form);
    if (!found) return insertLast(text, parent, `${JSON.stringify(name)}: ${written}`, depth, form);
    return text.slice(0, found.offset) + written + text.slice(found.offset + found.length);
  }
  throw new TypeError(`There is no object to set ${path.join('.')} in.`);
}

/**
 * Puts a property at the end of an object. jsonc-parser's own `modify` puts it before the comments that follow the last
 * property, so that they seem to speak of the new one.
 */
function insertLast(
  text: string,
  { offset, length, children = [] }: Node,
  property: string,
  depth: number,
  form: Form,
) {
  const close = offset + length - 1;
  const last = children.at(-1);
  const lastEnd = last ? last.offset + last.length : offset + 1;
  const rest = text.slice(lastEnd, close).trimEnd();
  const needsComma = last !== undefined && createScanner(rest, true).scan() !== commaToken;
  const line = (levels: number) => form.lineEnd + form.indent.repeat(levels);
  return `${text.slice(0, lastEnd)}${needsComma ? ',' : ''}${rest}${line(depth + 1)}${property}${line(depth)}${text.slice(close)}`;
}

/** The library declares its kinds of tokens as a `const enum`, which nothing can import. */
const commaToken = 5;

function layOut(value: unknown, depth: number, { indent, lineEnd }: Form): string {
  return JSON.stringify(value, null, indent).replaceAll('\n', lineEnd + indent.repeat(depth));
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
