/** A part of a line of Markdown. */
export type Inline =
  | string
  | { kind: 'strong' | 'em' | 'del'; inside: Inline[] }
  | { kind: 'code'; text: string }
  | { kind: 'link'; href: string; inside: Inline[] }
  | { kind: 'picture'; href: string; text: string }
  | { kind: 'break' };

/** A run of `*`, `_` or `~`, which may open or close emphasis. */
interface Run {
  kind: 'run';
  char: string;
  count: number;
  opens: boolean;
  closes: boolean;
}

type Item = Inline | Run;

/** A longer paragraph is shown as it is written. */
const longest = 20_000;
/** Emphasis that is nested deeper is shown as it is written; with this bound the work is linear in the text. */
const deepest = 20;

/** Emphasis, code, links and breaks of a paragraph (CommonMark 0.31, inlines; GFM, strikethrough and autolinks). HTML is text. */
export function parseInline(text: string): Inline[] {
  if (text.length > longest) return [text];
  return emphasize(itemsOf(text));
}

const special = /[\\`*_~[\]!<&\n]|https?:\/\//g;

function itemsOf(text: string): Item[] {
  const items: Item[] = [];
  const brackets: { item: number; isPicture: boolean }[] = [];
  /** Lengths of backtick runs that have no closing run. */
  const unclosed = new Set<number>();
  let at = 0;
  while (at < text.length) {
    special.lastIndex = at;
    const found = special.exec(text);
    const next = found?.index ?? text.length;
    if (next > at) items.push(text.slice(at, next));
    if (!found) break;
    at = next;
    const char = text[at] ?? '';
    if (char === '[' || (char === '!' && text[at + 1] === '[')) {
      brackets.push({ item: items.length, isPicture: char === '!' });
      const opening = char === '!' ? '![' : '[';
      items.push(opening);
      at += opening.length;
    } else if (char === ']') {
      const opener = brackets.pop();
      const target = opener && matchAt(linkTarget, text, at + 1);
      if (opener && target) {
        const inside = emphasize(items.splice(opener.item).slice(1));
        const href = unescaped(target[1] ?? target[2] ?? '');
        items.push(
          opener.isPicture ? { kind: 'picture', href, text: plainOf(inside) } : { kind: 'link', href, inside },
        );
        // A link has no links around it.
        if (!opener.isPicture) brackets.length = 0;
        at += 1 + target[0].length;
      } else {
        items.push(']');
        at += 1;
      }
    } else if (char === '`') at = readCode(text, at, items, unclosed);
    else if (char === '*' || char === '_' || char === '~') at = readRun(text, at, items);
    else at = readOther(text, at, items, brackets.length > 0);
  }
  return items;
}

/** `(href "title")` after a link's text. */
const linkTarget =
  /\(\s{0,9}(?:<([^<>\n]{0,2000})>|((?:[^\s()\\]|\\.|\([^\s()]{0,200}\)){0,2000}))(?:\s{1,9}(?:"[^"]{0,300}"|'[^']{0,300}'))?\s{0,9}\)/y;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function readCode(text: string, at: number, items: Item[], unclosed: Set<number>): number {
  const ticks = matchAt(/`+/y, text, at)?.[0] ?? '`';
  const from = at + ticks.length;
  if (!unclosed.has(ticks.length)) {
    const end = closingTicks(text, from, ticks);
    if (end !== -1) {
      const code = text.slice(from, end).replaceAll('\n', ' ');
      const isPadded = code.startsWith(' ') && code.endsWith(' ') && code.trim() !== '';
      items.push({ kind: 'code', text: isPadded ? code.slice(1, -1) : code });
      return end + ticks.length;
    }
    unclosed.add(ticks.length);
  }
  items.push(ticks);
  return from;
}

function closingTicks(text: string, from: number, ticks: string): number {
  let at = text.indexOf(ticks, from);
  while (at !== -1) {
    const run = matchAt(/`+/y, text, at)?.[0].length ?? 0;
    if (run === ticks.length) return at;
    at = text.indexOf(ticks, at + run);
  }
  return -1;
}

const isSpace = (char: string): boolean => char === '' || /\s/u.test(char);
const isMark = (char: string): boolean => /[\p{P}\p{S}]/u.test(char);

function readRun(text: string, at: number, items: Item[]): number {
  const char = text[at] ?? '';
  let end = at + 1;
  while (text[end] === char) end++;
  const [before, after] = [text[at - 1] ?? '', text[end] ?? ''];
  const left = !isSpace(after) && (!isMark(after) || isSpace(before) || isMark(before));
  const right = !isSpace(before) && (!isMark(before) || isSpace(after) || isMark(after));
  const isWord = char === '_';
  const count = end - at;
  if (char === '~' && count > 2) items.push(text.slice(at, end));
  else {
    items.push({
      kind: 'run',
      char,
      count,
      opens: left && (!isWord || !right || isMark(before)),
      closes: right && (!isWord || !left || isMark(after)),
    });
  }
  return end;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** Escapes, breaks, entities and addresses that stand by themselves. */
function readOther(text: string, at: number, items: Item[], isInBracket: boolean): number {
  const push = (item: Item, length: number) => {
    items.push(item);
    return at + length;
  };
  const char = text[at] ?? '';
  if (char === '\\') {
    const next = text[at + 1] ?? '';
    if (next === '\n') return push({ kind: 'break' }, 2);
    return /[!-/:-@[-`{-~]/.test(next) ? push(next, 2) : push(char, 1);
  }
  if (char === '\n') return push({ kind: 'break' }, 1);
  if (char === '&') {
    const entity = matchAt(/&(?:#(\d{1,7})|(\w{2,4}));/y, text, at);
    const shown = entity?.[1] ? fromCode(Number(entity[1])) : entities[entity?.[2] ?? ''];
    return entity && shown !== undefined ? push(shown, entity[0].length) : push(char, 1);
  }
  if (char === '<') {
    const line = matchAt(/<br ?\/?>/iy, text, at);
    if (line) return push({ kind: 'break' }, line[0].length);
    const link = matchAt(/<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/iy, text, at);
    return link?.[1] ? push({ kind: 'link', href: link[1], inside: [link[1]] }, link[0].length) : push(char, 1);
  }
  if (char !== 'h') return push(char, 1);
  const address = withoutEnd(matchAt(/https?:\/\/[^\s<>"`]{0,2000}/y, text, at)?.[0] ?? char);
  return push(isInBracket ? address : { kind: 'link', href: address, inside: [address] }, address.length);
}

function fromCode(code: number): string | undefined {
  return code > 31 && code < 0x110000 ? String.fromCodePoint(code) : undefined;
}

/** An address in a sentence ends before the marks of the sentence. */
function withoutEnd(address: string): string {
  const isOpen = address.includes('(');
  let end = address.length;
  while (end > 8 && /[.,;:!?'*_~)\]}|]/.test(address[end - 1] ?? '') && !(isOpen && address[end - 1] === ')')) end--;
  return address.slice(0, end);
}

const unescaped = (text: string): string => text.replace(/\\([!-/:-@[-`{-~])/g, '$1');

/** The text of inline parts without their marks. */
export function plainOf(parts: readonly Inline[]): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      if (part.kind === 'break') return ' ';
      return 'inside' in part ? plainOf(part.inside) : part.text;
    })
    .join('');
}

/** Emphasis that is open: the run that opened it, how much of the run is left, and what came since. */
interface Open {
  run: Run;
  left: number;
  out: Inline[];
}

function emphasize(items: readonly Item[]): Inline[] {
  const out: Inline[] = [];
  const open: Open[] = [];
  const top = () => open.at(-1)?.out ?? out;
  /** Everything from an opener on becomes text again. */
  const flatten = (from: number) => {
    for (const { run, left, out: inside } of open.splice(from)) {
      const into = top();
      into.push(run.char.repeat(left));
      for (const part of inside) into.push(part);
    }
  };
  for (const item of items) {
    if (typeof item === 'string' || item.kind !== 'run') {
      top().push(item);
      continue;
    }
    let count = item.count;
    while (item.closes && count > 0) {
      const index = open.findLastIndex(({ run, left }) => fits(run, left, item, count));
      const opener = open[index];
      if (!opener) break;
      flatten(index + 1);
      const used = item.char === '~' ? count : Math.min(2, opener.left, count);
      const kind = item.char === '~' ? 'del' : used === 2 ? 'strong' : 'em';
      const node: Inline = { kind, inside: opener.out };
      opener.left -= used;
      count -= used;
      if (opener.left > 0) opener.out = [node];
      else {
        open.pop();
        top().push(node);
      }
    }
    if (count > 0 && item.opens && open.length < deepest) open.push({ run: item, left: count, out: [] });
    else if (count > 0) top().push(item.char.repeat(count));
  }
  flatten(0);
  return out;
}

/** Whether a run may close an open one (CommonMark, emphasis: the rule of three). */
function fits(opener: Run, left: number, closer: Run, count: number): boolean {
  if (opener.char !== closer.char) return false;
  if (closer.char === '~') return left === count;
  const isBoth = opener.closes || closer.opens;
  return !isBoth || (opener.count + closer.count) % 3 !== 0 || (opener.count % 3 === 0 && closer.count % 3 === 0);
}
