import { type AST, getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser';
import { eolOf, insertion, lineStart, nextLine, removal, splice } from '../../../base/splice.js';
import { type ConfigFormat, type Path, SyntaxProblem } from './config-format.js';

/** TOML. toml-eslint-parser finds the places of tables and values; all other characters stay. */
export const toml: ConfigFormat = {
  parse: (text) => getStaticTOMLValue(treeOf(text)),
  set(text, path, value) {
    const tree = treeOf(text);
    const found = pairsOf(tree).find((pair) => isSame(pair.path, path));
    if (found) {
      const [start, end] = found.node.value.range;
      return splice(text, { start, end, text: inline(value) });
    }
    const above = path.slice(0, -1);
    const container = pairsOf(tree).find((pair) => isSame(pair.path, above))?.node.value;
    if (isTable(value) && container?.type !== 'TOMLInlineTable') return appendTables(text, path, value);
    const line = `${word(path.at(-1) ?? '')} = ${inline(value)}`;
    const table = tablesOf(tree).find(({ resolvedKey }) => isSame(resolvedKey, above));
    if (table) {
      const at = table.body.at(-1)?.range[1] ?? table.key.range[1];
      return splice(text, insertion(endOfLine(text, at), `${eolOf(text)}${line}`));
    }
    if (container?.type !== 'TOMLInlineTable') return appendTables(text, above, { [path.at(-1) ?? '']: value });
    const last = container.body.at(-1);
    const at = last ? last.range[1] : container.range[0] + 1;
    return splice(text, insertion(at, last ? `, ${line}` : ` ${line} `));
  },
  remove(text, path) {
    const tree = treeOf(text);
    const tables = tablesOf(tree).filter(({ resolvedKey }) => startsWith(resolvedKey, path));
    const within = new Set(tables.flatMap(({ body }) => body));
    const pairs = pairsOf(tree).filter((pair) => startsWith(pair.path, path) && !within.has(pair.node));
    const outermost = pairs.filter((pair) => !pairs.some((other) => encloses(other.node, pair.node)));
    const changes = [
      ...tables.map(({ range: [start, end] }) => wholeLines(text, start, end)),
      ...outermost.map(({ node }) => pairRemoval(text, node)),
    ];
    return splice(text, ...changes);
  },
  print(value) {
    return appendTables('', [], value);
  },
};

function treeOf(text: string): AST.TOMLProgram {
  try {
    return parseTOML(text);
  } catch (error) {
    if (error instanceof ParseError)
      throw new SyntaxProblem(`line ${error.lineNumber}, column ${error.column + 1}: ${error.message}`);
    throw error;
  }
}

type Key = readonly (string | number)[];

interface Pair {
  path: Key;
  node: AST.TOMLKeyValue;
}

function tablesOf({ body: [top] }: AST.TOMLProgram): AST.TOMLTable[] {
  return top.body.filter((node) => node.type === 'TOMLTable');
}

/** Every name with a value, also those in inline tables. */
function pairsOf({ body: [top] }: AST.TOMLProgram): Pair[] {
  return top.body.flatMap((node) =>
    node.type === 'TOMLTable' ? node.body.flatMap((pair) => pairsIn(pair, node.resolvedKey)) : pairsIn(node, []),
  );
}

function pairsIn(node: AST.TOMLKeyValue, above: Key): Pair[] {
  const path = [...above, ...node.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))];
  const inner = node.value.type === 'TOMLInlineTable' ? node.value.body.flatMap((pair) => pairsIn(pair, path)) : [];
  return [{ path, node }, ...inner];
}

function isSame(key: Key, path: Key): boolean {
  return key.length === path.length && startsWith(key, path);
}

function startsWith(key: Key, path: Key): boolean {
  return path.every((name, index) => key[index] === name);
}

function encloses(outer: AST.TOMLKeyValue, inner: AST.TOMLKeyValue): boolean {
  return outer !== inner && outer.range[0] <= inner.range[0] && inner.range[1] <= outer.range[1];
}

/** Adds tables at the end, where no key of another table follows. */
function appendTables(text: string, path: Path, table: object): string {
  const eol = eolOf(text);
  const start = text === '' || text.endsWith('\n') ? text : `${text}${eol}`;
  const lines = linesOf(path, table);
  return `${start}${start.trim() === '' ? '' : eol}${lines.join(eol)}${eol}`;
}

function linesOf(path: Path, table: object): string[] {
  const entries: [string, unknown][] = Object.entries(table);
  const values = entries.filter(([, value]) => !isTable(value));
  const tables = entries.filter((entry): entry is [string, object] => isTable(entry[1]));
  const own = values.map(([name, value]) => `${word(name)} = ${inline(value)}`);
  const header = own.length > 0 && path.length > 0 ? [`[${path.map(word).join('.')}]`] : [];
  const blocks = tables.map(([name, value]) => linesOf([...path, name], value));
  return [[...header, ...own], ...blocks]
    .filter((block) => block.length > 0)
    .flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (isTable(value)) {
    const pairs = Object.entries(value).map(([name, item]) => `${word(name)} = ${inline(item)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  // TOML's basic strings have the escapes of JSON, and do not allow a bare delete character.
  return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
}

function word(name: string): string {
  return /^[\w-]+$/.test(name) ? name : inline(name);
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  if (end === -1) return text.length;
  return text[end - 1] === '\r' ? end - 1 : end;
}

/** The lines of a table, with one empty line before it, as `appendTables` makes it. */
function wholeLines(text: string, start: number, end: number) {
  const first = lineStart(text, start);
  const blank = /(^|\n)[ \t]*\r?\n$/.exec(text.slice(0, first));
  const from = blank ? blank.index + (blank[1]?.length ?? 0) : first;
  return removal(from, nextLine(text, end));
}

function pairRemoval(text: string, node: AST.TOMLKeyValue) {
  const [start, end] = node.range;
  const container = node.parent;
  if (container.type !== 'TOMLInlineTable') return removal(lineStart(text, start), nextLine(text, end));
  const index = container.body.indexOf(node);
  const after = container.body[index + 1];
  if (after) return removal(start, after.range[0]);
  const before = container.body[index - 1];
  return removal(before ? before.range[1] : start, end);
}
