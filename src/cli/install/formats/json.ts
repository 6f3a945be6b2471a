import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
  stripComments,
} from 'jsonc-parser';
import { type ConfigFormat, type Path, SyntaxProblem } from './config-format.js';
import { eolOf, indentAt, insertion, lineStart, positionOf, removal, type Splice, splice } from './splice.js';

/**
 * JSON, also with comments and trailing commas, as VS Code and Zed have it. jsonc-parser finds the places; its own
 * `modify` formats the neighbours anew and moves the comments behind them, so the edits are made here.
 */
export const json: ConfigFormat = {
  parse(text) {
    const root = treeOf(text);
    // Its objects have no prototype, and so would equal no others.
    return root ? structuredClone(getNodeValue(root)) : {};
  },
  set(text, path, value) {
    const root = treeOf(text);
    if (!root || /^\s*\{\s*\}\s*$/.test(text)) {
      const comments = root ? '' : text.trimStart();
      return `${json.print(nest(path, value)).replaceAll('\n', eolOf(text))}${comments}`;
    }
    const found = findNodeAtLocation(root, [...path]);
    if (found) {
      const { offset, length } = found;
      return splice(text, { start: offset, end: offset + length, text: write(value, text, indentAt(text, offset)) });
    }
    const above = depthOf(root, path);
    const container = findNodeAtLocation(root, path.slice(0, above)) ?? root;
    const name = JSON.stringify(path[above]);
    return addMember(text, container, name, nest(path.slice(above + 1), value));
  },
  remove(text, path) {
    const root = treeOf(text);
    const member = root && findNodeAtLocation(root, [...path])?.parent;
    return member ? removeMember(text, member) : text;
  },
  print: (value) => `${JSON.stringify(value, null, 2)}\n`,
};

function treeOf(text: string): Node | undefined {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (!first) return root;
  if (stripComments(text).trim() === '') return undefined;
  const { line, column } = positionOf(text, first.offset);
  throw new SyntaxProblem(printParseErrorCode(first.error), line, column);
}

/** How many names of the path lead to values that are there. */
function depthOf(root: Node, path: Path): number {
  let depth = 0;
  while (findNodeAtLocation(root, path.slice(0, depth + 1))) depth += 1;
  return depth;
}

function nest(path: Path, value: unknown): object {
  return path.reduceRight((inner, name) => ({ [name]: inner }), value) as object;
}

/** JSON text in the file's own indentation, or on one line where all of the file is on one line. */
function write(value: unknown, text: string, indent: string): string {
  if (!text.trim().includes('\n') && text.trim() !== '{}') return JSON.stringify(value);
  return JSON.stringify(value, null, unitOf(text)).replaceAll('\n', `${eolOf(text)}${indent}`);
}

/** One level of indentation. */
function unitOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
}

function addMember(text: string, container: Node, name: string, value: unknown): string {
  const members = container.children ?? [];
  const last = members.at(-1);
  const inside = text.slice(container.offset, container.offset + container.length);
  if (last && !inside.includes('\n')) {
    const isSpaced = /,\s/.test(inside) || /:\s/.test(inside);
    const member = `${name}:${isSpaced ? ' ' : ''}${oneLine(value, isSpaced)}`;
    return splice(text, insertion(last.offset + last.length, `,${isSpaced ? ' ' : ''}${member}`));
  }
  const eol = eolOf(text);
  if (!last) return fillEmpty(text, container, name, value);
  const indent = indentAt(text, members[0]?.offset ?? last.offset);
  const end = last.offset + last.length;
  const { comma, until } = restOfLine(text, end);
  const member = `${eol}${indent}${name}: ${write(value, text, indent)}`;
  return comma === undefined
    ? splice(text, insertion(end, ','), insertion(until, member))
    : splice(text, insertion(until, `${member},`));
}

/** Text on one line, with spaces as people write it. */
function oneLine(value: unknown, isSpaced: boolean): string {
  if (!isSpaced) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => oneLine(item, true)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${oneLine(item, true)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

/** Into an object that has nothing but spaces and comments. */
function fillEmpty(text: string, container: Node, name: string, value: unknown): string {
  const close = container.offset + container.length - 1;
  if (!text.trim().includes('\n') && text.trim() !== '{}') {
    return splice(text, insertion(close, `${name}:${write(value, text, '')}`));
  }
  const eol = eolOf(text);
  const outer = indentAt(text, container.offset);
  const indent = outer + unitOf(text);
  const kept = text.slice(container.offset + 1, close).trimEnd();
  const start = container.offset + 1 + kept.length;
  const member = `${eol}${indent}${name}: ${write(value, text, indent)}${eol}${outer}`;
  return splice(text, { start, end: close, text: member });
}

/** What follows a member: its comma, and the end of the comments on the same line. */
function restOfLine(text: string, end: number): { comma: number | undefined; until: number } {
  const next = matchAt(/(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y, text, end);
  const comma = text[next] === ',' ? next : undefined;
  return {
    comma,
    until: matchAt(/(?:[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/))*/y, text, comma === undefined ? end : comma + 1),
  };
}

/** Where a sticky pattern, which matches at least nothing, ends. */
function matchAt(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset;
  return offset + (pattern.exec(text)?.[0].length ?? 0);
}

function removeMember(text: string, member: Node): string {
  const siblings = member.parent?.children ?? [];
  const index = siblings.indexOf(member);
  const before = siblings[index - 1];
  const after = siblings[index + 1];
  const end = member.offset + member.length;
  const { comma, until } = restOfLine(text, end);
  const start = lineStart(text, member.offset);
  const isOnOwnLines =
    text.slice(start, member.offset).trim() === '' && /^[ \t]*(\r?\n|$)/.test(text.slice(until)) && start > 0;
  // Without a comma of its own it was the last member, and the comma before it would be one too many.
  const commaBefore: Splice[] = [];
  if (comma === undefined && before) {
    const at = restOfLine(text, before.offset + before.length).comma;
    if (at !== undefined) commaBefore.push(removal(at, at + 1));
  }
  if (isOnOwnLines) {
    const lineBreak = text[start - 2] === '\r' ? start - 2 : start - 1;
    return splice(text, ...commaBefore, removal(lineBreak, until));
  }
  if (after) return splice(text, removal(member.offset, after.offset));
  const from = before ? before.offset + before.length : member.offset;
  return splice(text, removal(from, comma === undefined ? end : comma));
}
