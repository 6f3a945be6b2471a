import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { eolOf, indentAt, insertion, lineStart, removal, type Splice, splice } from './splice.js';

/**
 * The text with the value at a path set. All else stays as it is: comments, order, indent and line ends. jsonc-parser finds
 * the places; its own `modify` formats the neighbours anew, and puts a new property before the comments that follow the
 * last one, so that they seem to speak of the new one. The text must be JSON, or nothing but comments.
 */
export function setInJsonc(text: string, path: readonly string[], value: unknown): string {
  return behindMark(text, (body) => {
    const root = parseTree(body, [], { allowTrailingComma: true });
    if (!root)
      return `${JSON.stringify(nest(path, value), null, 2)}\n`.replaceAll('\n', eolOf(body)) + body.trimStart();
    const found = findNodeAtLocation(root, [...path]);
    if (found) {
      const { offset, length } = found;
      return splice(body, { start: offset, end: offset + length, text: write(value, body, indentAt(body, offset)) });
    }
    const above = depthOf(root, path);
    const container = findNodeAtLocation(root, path.slice(0, above)) ?? root;
    if (container.type !== 'object') throw new TypeError(`There is no object to set ${path.join('.')} in.`);
    return addMember(body, container, JSON.stringify(path[above]), nest(path.slice(above + 1), value));
  });
}

/** The text without the value at a path and its name. A path that leads nowhere changes nothing. */
export function removeFromJsonc(text: string, path: readonly string[]): string {
  return behindMark(text, (body) => {
    const root = parseTree(body, [], { allowTrailingComma: true });
    const member = root && findNodeAtLocation(root, [...path])?.parent;
    return member ? removeMember(body, member) : body;
  });
}

/** Edits the text behind a byte order mark. */
function behindMark(text: string, edit: (body: string) => string): string {
  return text.startsWith('\uFEFF') ? `\uFEFF${edit(text.slice(1))}` : edit(text);
}

/** How many names of the path lead to values that are there. */
function depthOf(root: Node, path: readonly string[]): number {
  let depth = 0;
  while (findNodeAtLocation(root, path.slice(0, depth + 1))) depth += 1;
  return depth;
}

function nest(path: readonly string[], value: unknown): object {
  return path.reduceRight((inner, name) => ({ [name]: inner }), value) as object;
}

/** JSON text in the file's own indentation, or on one line where all of the file is on one line. */
function write(value: unknown, text: string, indent: string): string {
  if (isOnOneLine(text)) return JSON.stringify(value);
  return JSON.stringify(value, null, unitOf(text)).replaceAll('\n', `${eolOf(text)}${indent}`);
}

function isOnOneLine(text: string): boolean {
  return !text.trim().includes('\n') && text.trim() !== '{}';
}

/** One level of indentation. */
function unitOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
}

function addMember(text: string, container: Node, name: string, value: unknown): string {
  const last = container.children?.at(-1);
  const close = container.offset + container.length - 1;
  const inside = text.slice(container.offset + 1, close);
  if (last && !inside.includes('\n')) {
    const isSpaced = /[,:]\s/.test(inside);
    const member = `${name}:${isSpaced ? ' ' : ''}${oneLine(value, isSpaced)}`;
    return splice(text, insertion(last.offset + last.length, `,${isSpaced ? ' ' : ''}${member}`));
  }
  if (!last && isOnOneLine(text)) return splice(text, insertion(close, `${name}:${write(value, text, '')}`));
  const outer = indentAt(text, container.offset);
  const indent = last ? indentAt(text, container.children?.[0]?.offset ?? close) : outer + unitOf(text);
  const member = `${eolOf(text)}${indent}${name}: ${write(value, text, indent)}`;
  // After the comments that follow the last member, which speak of it.
  const end = container.offset + 1 + inside.trimEnd().length;
  const isCloseOnNextLine = text.slice(end, close).includes('\n');
  const after = isCloseOnNextLine || last ? '' : `${eolOf(text)}${outer}`;
  const comma = last && restOfLine(text, last.offset + last.length).comma;
  if (!last || comma !== undefined)
    return splice(text, { start: end, end: isCloseOnNextLine ? end : close, text: `${member}${last ? ',' : after}` });
  return splice(text, insertion(last.offset + last.length, ','), insertion(end, member));
}

/** Text on one line, with spaces as people write it. */
function oneLine(value: unknown, isSpaced: boolean): string {
  if (!isSpaced) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => oneLine(item, true)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${oneLine(item, true)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
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
