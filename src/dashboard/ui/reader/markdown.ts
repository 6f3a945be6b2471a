/** A block of Markdown; texts of blocks are for `parseInline`. */
export type Block =
  | { kind: 'paragraph' | 'plain'; text: string }
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'list'; start: number | undefined; isLoose: boolean; items: ListItem[] }
  | { kind: 'table'; aligns: (Align | undefined)[]; rows: string[][] }
  | { kind: 'rule' };

export interface ListItem {
  /** Of a task list. */
  isDone: boolean | undefined;
  blocks: Block[];
}

type Align = 'left' | 'center' | 'right';

/** Lists and quotes that are nested deeper are shown as they are written; with this bound the work is linear in the text. */
const deepest = 12;

export interface Part {
  block: Block;
  /** The lines that it was read from. */
  source: string;
}

/**
 * The blocks of a Markdown text (CommonMark 0.31; GFM, tables and task lists), without definitions of links, without
 * HTML, which is text, and with a list inside an item from two spaces on, as people write it.
 */
export function parseMarkdown(text: string): Part[] {
  const lines = text.split(/\r\n?|\n/).map((line) => (line.includes('\t') ? withoutTabs(line) : line));
  const parts: Part[] = [];
  for (let at = firstLine(lines, 0); at < lines.length; ) {
    const [block, next] = readBlock(lines, at, 0);
    parts.push({ block, source: lines.slice(at, next).join('\n') });
    at = firstLine(lines, next);
  }
  return parts;
}

/** The next line that is not blank. */
function firstLine(lines: readonly string[], from: number): number {
  let at = from;
  while (at < lines.length && isBlank(lines[at])) at++;
  return at;
}

const withoutTabs = (line: string): string => line.replace(/^[ \t]+/, (space) => space.replaceAll('\t', '    '));

const isBlank = (line: string | undefined): boolean => line === undefined || line.trim() === '';
const fencePattern = /^( {0,3})(`{3,}|~{3,}) *([^`]*)$/;
const headingPattern = /^ {0,3}(#{1,6})(?= |$)/;
const rulePattern = /^ {0,3}([-*_]) *(?:\1 *){2,}$/;
const quotePattern = /^ {0,3}> ?/;
const markerPattern = /^( {0,3})([-*+]|\d{1,9}[.)])( +(?=[^ ])|$)/;
const aligningPattern = /^ {0,3}\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$/;

function blocksOf(lines: readonly string[], depth: number): Block[] {
  if (depth > deepest) return [{ kind: 'plain', text: lines.join('\n') }];
  const blocks: Block[] = [];
  for (let at = firstLine(lines, 0); at < lines.length; ) {
    const [block, next] = readBlock(lines, at, depth);
    blocks.push(block);
    at = firstLine(lines, next);
  }
  return blocks;
}

/** A block, and the line after it. */
type Read = [block: Block, next: number];

function readBlock(lines: readonly string[], at: number, depth: number): Read {
  const line = lines[at] ?? '';
  const fence = fencePattern.exec(line);
  if (fence) return readFence(lines, at, fence);
  const heading = headingPattern.exec(line);
  if (heading) {
    const text = line
      .slice(heading[0].length)
      .trim()
      .replace(/(^| )#+$/, '');
    return [{ kind: 'heading', level: heading[1]?.length ?? 1, text }, at + 1];
  }
  if (rulePattern.test(line)) return [{ kind: 'rule' }, at + 1];
  if (quotePattern.test(line)) return readQuote(lines, at, depth);
  if (markerPattern.test(line)) return readList(lines, at, depth);
  if (line.startsWith('    ')) return readIndented(lines, at);
  return readTable(lines, at) ?? readParagraph(lines, at);
}

function readFence(
  lines: readonly string[],
  at: number,
  [, indent = '', fence = '', info = '']: RegExpExecArray,
): Read {
  const text: string[] = [];
  let next = at + 1;
  for (; next < lines.length; next++) {
    const line = lines[next] ?? '';
    const end = fencePattern.exec(line);
    if (end?.[2]?.startsWith(fence) && end[3] === '') break;
    let from = 0;
    while (from < indent.length && line[from] === ' ') from++;
    text.push(line.slice(from));
  }
  return [{ kind: 'code', language: info.trim().split(' ')[0] ?? '', text: text.join('\n') }, next + 1];
}

function readQuote(lines: readonly string[], at: number, depth: number): Read {
  const inside: string[] = [];
  let next = at;
  for (; next < lines.length; next++) {
    const line = lines[next] ?? '';
    const mark = quotePattern.exec(line);
    if (!mark) break;
    inside.push(line.slice(mark[0].length));
  }
  return [{ kind: 'quote', blocks: blocksOf(inside, depth + 1) }, next];
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** Bullets with the same mark, or numbers with the same end, are one list. */
const sortOf = (marker: string): string => marker.at(-1) ?? '';

function readList(lines: readonly string[], at: number, depth: number): Read {
  const first = markerPattern.exec(lines[at] ?? '')?.[2] ?? '-';
  const items: ListItem[] = [];
  let isLoose = false;
  let next = at;
  while (next < lines.length) {
    const line = lines[next] ?? '';
    const marker = markerPattern.exec(line);
    if (!marker || sortOf(marker[2] ?? '') !== sortOf(first) || rulePattern.test(line)) break;
    if (items.length > 0 && isBlank(lines[next - 1])) isLoose = true;
    const read = readItem(lines, next, marker, depth);
    items.push(read.item);
    next = read.next;
    isLoose ||= read.hasGap;
  }
  const start = /\d/.test(first) ? Number.parseInt(first, 10) : undefined;
  return [{ kind: 'list', start, isLoose, items }, next];
}

function readItem(lines: readonly string[], at: number, marker: RegExpExecArray, depth: number) {
  const [whole, indent = '', sign = '', space = ''] = marker;
  // Five spaces and more begin code inside the item.
  const inner = space === '' || space.length > 4 ? indent.length + sign.length + 1 : whole.length;
  const body = [(lines[at] ?? '').slice(inner)];
  let hasGap = false;
  let next = at + 1;
  while (next < lines.length) {
    const line = lines[next] ?? '';
    if (isBlank(line)) {
      const following = firstLine(lines, next);
      const own = indentOf(lines[following] ?? '');
      if (following === lines.length || own < inner) {
        next = following;
        break;
      }
      hasGap = true;
      for (; next < following; next++) body.push('');
      continue;
    }
    const own = indentOf(line);
    const isMarked = markerPattern.test(line.trimStart());
    // A list inside an item with a number may be set in by two spaces.
    const isNested = isMarked && own >= indent.length + 2;
    if (own < inner && !isNested && (isMarked || beginsBlock(line))) break;
    body.push(line.slice(Math.min(own, inner)));
    next++;
  }
  const task = /^\[([ xX])\] +/.exec(body[0] ?? '');
  if (task) body[0] = (body[0] ?? '').slice(task[0].length);
  const item: ListItem = { isDone: task ? task[1] !== ' ' : undefined, blocks: blocksOf(body, depth + 1) };
  return { item, next, hasGap };
}

/** Whether a line ends the paragraph before it; a number does if a list could begin with it. */
function beginsBlock(line: string): boolean {
  if (fencePattern.test(line) || headingPattern.test(line) || quotePattern.test(line) || rulePattern.test(line)) {
    return true;
  }
  const [, , sign = '', space = ''] = markerPattern.exec(line) ?? [];
  return space !== '' && (!/\d/.test(sign) || Number.parseInt(sign, 10) === 1);
}

function readIndented(lines: readonly string[], at: number): Read {
  let next = at;
  while (next < lines.length && (isBlank(lines[next]) || lines[next]?.startsWith('    '))) next++;
  const text = lines.slice(at, next).map((line) => line.slice(4));
  return [{ kind: 'code', language: '', text: text.join('\n').trimEnd() }, next];
}

function readTable(lines: readonly string[], at: number): Read | undefined {
  const [head = '', aligning = ''] = lines.slice(at, at + 2);
  if (!head.includes('|') || !aligning.includes('-') || !aligningPattern.test(aligning)) return undefined;
  const [names, aligns] = [cellsOf(head), cellsOf(aligning).map(alignOf)];
  if (names.length !== aligns.length) return undefined;
  const rows = [names];
  let next = at + 2;
  for (; next < lines.length; next++) {
    const line = lines[next] ?? '';
    if (isBlank(line) || beginsBlock(line)) break;
    const cells = cellsOf(line);
    rows.push(names.map((_, column) => cells[column] ?? ''));
  }
  return [{ kind: 'table', aligns, rows }, next];
}

function cellsOf(line: string): string[] {
  const row = line.trim().replace(/^\|/, '');
  const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
  if (cells.length > 1 && cells.at(-1) === '') cells.pop();
  return cells;
}

function alignOf(mark: string): Align | undefined {
  if (mark.endsWith(':')) return mark.startsWith(':') ? 'center' : 'right';
  return mark.startsWith(':') ? 'left' : undefined;
}

function readParagraph(lines: readonly string[], at: number): Read {
  let next = at + 1;
  for (; next < lines.length; next++) {
    const line = lines[next] ?? '';
    const under = /^ {0,3}(=+|-+) *$/.exec(line);
    if (under) {
      const level = under[1]?.startsWith('=') ? 1 : 2;
      return [{ kind: 'heading', level, text: joined(lines, at, next) }, next + 1];
    }
    if (isBlank(line) || beginsBlock(line)) break;
  }
  return [{ kind: 'paragraph', text: joined(lines, at, next) }, next];
}

const joined = (lines: readonly string[], from: number, to: number): string =>
  lines
    .slice(from, to)
    .map((line) => line.trim())
    .join('\n');
