import { isMap, isScalar, LineCounter, type Pair, parseDocument, stringify, type YAMLMap } from 'yaml';
import { eolOf, insertion, lineStart, nextLine, removal, splice } from '../../../base/splice.js';
import { type ConfigFormat, type Path, SyntaxProblem, UnusualForm } from './config-format.js';

/** YAML. The `yaml` package finds the places; to print its document would lose line ends and the form of all lines. */
export const yaml: ConfigFormat = {
  parse: (text) => documentOf(text).toJS() ?? {},
  set(text, path, value) {
    const root = documentOf(text).contents;
    if (root === null)
      return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${yaml.print(nest(path, value))}`;
    const found = pairAt(root, path);
    if (found?.value) {
      const [start, end] = rangeOf(found.value);
      return splice(text, { start, end: trimEnd(text, start, end), text: JSON.stringify(value) });
    }
    let depth = path.length - 1;
    while (depth > 0 && !isMap(pairAt(root, path.slice(0, depth))?.value)) depth -= 1;
    const map = depth === 0 ? root : pairAt(root, path.slice(0, depth))?.value;
    if (!isMap(map)) throw new UnusualForm();
    const empty = map.items.find(({ key }) => isScalar(key) && key.value === path[depth]);
    const below = nest(path.slice(depth + 1), value);
    if (map.flow && (map.items.length > 0 || depth === 0)) return addToFlow(text, map, path[depth] ?? '', below);
    if (map.flow) return fillFlow(text, map, pairAt(root, path.slice(0, depth)), { [path[depth] ?? '']: below });
    if (empty) return fillPair(text, empty, below);
    return addPair(text, map, path[depth] ?? '', below);
  },
  remove(text, path) {
    const root = documentOf(text).contents;
    const map = path.length === 1 ? root : pairAt(root, path.slice(0, -1))?.value;
    const found = pairAt(root, path);
    if (!found) return text;
    if (!isMap(map)) throw new UnusualForm();
    if (map.flow) return removeFromFlow(text, map, found);
    const start = lineStart(text, rangeOf(found.key)[0]);
    const end = found.value ? rangeOf(found.value)[1] : rangeOf(found.key)[1];
    const last = Math.max(start, trimEnd(text, start, end) - 1);
    // A map without names must say that it is one.
    if (map.items.length > 1 || map === root) return splice(text, removal(start, nextLine(text, last)));
    const [mapStart] = rangeOf(map);
    return splice(text, { start: mapStart, end: nextLine(text, last), text: `{}${eolOf(text)}` });
  },
  print: (value) => stringify(value, { lineWidth: 0 }),
};

function documentOf(text: string) {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const [error] = document.errors;
  if (!error) return document;
  const { line, col } = lineCounter.linePos(error.pos[0]);
  throw new SyntaxProblem(`line ${line}, column ${col}: ${error.code}`);
}

function pairAt(root: unknown, path: Path): Pair | undefined {
  const [name, ...rest] = path;
  const pair = isMap(root) ? root.items.find(({ key }) => isScalar(key) && key.value === name) : undefined;
  return rest.length === 0 || !pair ? pair : pairAt(pair.value, rest);
}

/** Where a node of a parsed text begins, and where its value ends. */
function rangeOf(node: unknown): [start: number, end: number] {
  const range = node !== null && typeof node === 'object' && 'range' in node ? node.range : undefined;
  if (!Array.isArray(range)) throw new UnusualForm();
  return [Number(range[0]), Number(range[1])];
}

/** The end of a block includes line ends and spaces, which belong to what follows. */
function trimEnd(text: string, start: number, end: number): number {
  return start + text.slice(start, end).trimEnd().length;
}

function nest(path: Path, value: unknown): object {
  return path.reduceRight((inner, name) => ({ [name]: inner }), value) as object;
}

function addPair(text: string, map: YAMLMap, name: string, value: unknown): string {
  const [start, end] = rangeOf(map);
  return addLines(text, trimEnd(text, start, end), start - lineStart(text, start), { [name]: value });
}

/** Into braces, on the same line. JSON is YAML in this form. */
function addToFlow(text: string, map: YAMLMap, name: string, value: unknown): string {
  const last = map.items.at(-1);
  const pair = `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
  const at = last ? rangeOf(last.value ?? last.key)[1] : rangeOf(map)[0] + 1;
  return splice(text, insertion(at, last ? `, ${pair}` : pair));
}

/** In the place of empty braces, such as `extensions: {}`. */
function fillFlow(text: string, map: YAMLMap, above: Pair | undefined, value: unknown): string {
  const [start, end] = rangeOf(map);
  const [nameStart, nameEnd] = rangeOf(above?.key);
  const bare = splice(
    text,
    removal(nameEnd + (text.slice(nameEnd, start).indexOf(':') + 1), start),
    removal(start, end),
  );
  return addLines(bare, nameEnd, nameStart - lineStart(text, nameStart) + 2, value);
}

function removeFromFlow(text: string, map: YAMLMap, pair: Pair): string {
  const index = map.items.indexOf(pair);
  const [before, after] = [map.items[index - 1], map.items[index + 1]];
  const start = rangeOf(pair.key)[0];
  const end = rangeOf(pair.value ?? pair.key)[1];
  if (after) return splice(text, removal(start, rangeOf(after.key)[0]));
  return splice(text, removal(before ? rangeOf(before.value ?? before.key)[1] : start, end));
}

/** After a name without a value, such as `extensions:`. */
function fillPair(text: string, { key }: Pair, value: unknown): string {
  const [start, end] = rangeOf(key);
  return addLines(text, end, start - lineStart(text, start) + 2, value);
}

/** Adds a block after the line of an offset. */
function addLines(text: string, offset: number, columns: number, value: unknown): string {
  const eol = eolOf(text);
  const at = nextLine(text, offset);
  const lines = stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
  const block = lines.map((line) => `${' '.repeat(columns)}${line}${eol}`).join('');
  return splice(text, insertion(at, `${text[at - 1] === '\n' ? '' : eol}${block}`));
}
