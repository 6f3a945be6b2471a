import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Inline, parseInline, plainOf } from '../../../src/dashboard/ui/reader/inline.js';
import { type Block, parseMarkdown } from '../../../src/dashboard/ui/reader/markdown.js';

const blocks = (text: string): Block[] => parseMarkdown(text).map(({ block }) => block);

it('reads the blocks of an answer', () => {
  const text = [
    '# Plan #',
    'Two lines',
    'of one paragraph.',
    '',
    '- one',
    '  - nested',
    '- [x] done',
    '',
    '3. third',
    '4. fourth',
    '   ```ts',
    '   const x = 1;',
    '     y();',
    '   ```',
    '',
    '| a | b |',
    '|:--|--:|',
    '| 1 \\| 2 | x |',
    '| only one |',
    '',
    '> quoted',
    '> - inside',
    '',
    '---',
    'Below',
    '=====',
    '~~~',
    'never closed',
  ].join('\n');
  expect(blocks(text)).toEqual([
    { kind: 'heading', level: 1, text: 'Plan' },
    { kind: 'paragraph', text: 'Two lines\nof one paragraph.' },
    {
      kind: 'list',
      start: undefined,
      isLoose: false,
      items: [
        {
          isDone: undefined,
          blocks: [
            { kind: 'paragraph', text: 'one' },
            {
              kind: 'list',
              start: undefined,
              isLoose: false,
              items: [{ isDone: undefined, blocks: [{ kind: 'paragraph', text: 'nested' }] }],
            },
          ],
        },
        { isDone: true, blocks: [{ kind: 'paragraph', text: 'done' }] },
      ],
    },
    {
      kind: 'list',
      start: 3,
      isLoose: false,
      items: [
        { isDone: undefined, blocks: [{ kind: 'paragraph', text: 'third' }] },
        {
          isDone: undefined,
          blocks: [
            { kind: 'paragraph', text: 'fourth' },
            { kind: 'code', language: 'ts', text: 'const x = 1;\n  y();' },
          ],
        },
      ],
    },
    {
      kind: 'table',
      aligns: ['left', 'right'],
      rows: [
        ['a', 'b'],
        ['1 | 2', 'x'],
        ['only one', ''],
      ],
    },
    {
      kind: 'quote',
      blocks: [
        { kind: 'paragraph', text: 'quoted' },
        {
          kind: 'list',
          start: undefined,
          isLoose: false,
          items: [{ isDone: undefined, blocks: [{ kind: 'paragraph', text: 'inside' }] }],
        },
      ],
    },
    { kind: 'rule' },
    { kind: 'heading', level: 1, text: 'Below' },
    { kind: 'code', language: '', text: 'never closed' },
  ]);
});

it('nests a list under a number that is set in by two spaces, and keeps a year from being a list', () => {
  expect(blocks('1. a\n  - b\n2. c\n\nBorn in\n1986. And so on')).toMatchObject([
    { kind: 'list', items: [{ blocks: [{ kind: 'paragraph' }, { kind: 'list' }] }, { blocks: [{ text: 'c' }] }] },
    { kind: 'paragraph', text: 'Born in\n1986. And so on' },
  ]);
});

/** Inline parts as HTML that is easy to compare. */
function html(parts: readonly Inline[]): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      if (part.kind === 'break') return '<br>';
      if (part.kind === 'code') return `<code>${part.text}</code>`;
      if (part.kind === 'picture') return `<img ${part.href} ${part.text}>`;
      if (part.kind === 'link') return `<a ${part.href}>${html(part.inside)}</a>`;
      return `<${part.kind}>${html(part.inside)}</${part.kind}>`;
    })
    .join('');
}

it.each([
  ['snake_case_name and 2 * 3 * 4 = 24', 'snake_case_name and 2 * 3 * 4 = 24'],
  ['**bold *both* bold** _it_ ~~gone~~', '<strong>bold <em>both</em> bold</strong> <em>it</em> <del>gone</del>'],
  ['***both*** **open *closed*', '<em><strong>both</strong></em> **open <em>closed</em>'],
  ['`a*b*` ``x ` y`` `open', '<code>a*b*</code> <code>x ` y</code> `open'],
  ['\\*not\\* a\\b', '*not* a\\b'],
  ['[a **b**](https://x.y/c_d "t") ![p](<z w>)', '<a https://x.y/c_d>a <strong>b</strong></a> <img z w p>'],
  ['[a](https://x.y/(b)) [not] (a) [x](', '<a https://x.y/(b)>a</a> [not] (a) [x]('],
  [
    '(see https://x.y/a_b_c?d=1). <https://q.r>',
    '(see <a https://x.y/a_b_c?d=1>https://x.y/a_b_c?d=1</a>). <a https://q.r>https://q.r</a>',
  ],
  ['[![alt](i.png)](https://x.y)', '<a https://x.y><img i.png alt></a>'],
  ['a<br>b\nc &amp; &#60;b&#62; <b>x</b>', 'a<br>b<br>c & <b> <b>x</b>'],
])('reads %j', (text, expected) => {
  expect(html(parseInline(text))).toBe(expected);
});

it('loses none of the words of any text', () => {
  const marks = fc.constantFrom(
    '*',
    '**',
    '_',
    '`',
    '[',
    '](',
    ')',
    '!',
    '\n',
    '\n\n',
    '> ',
    '- ',
    '1. ',
    '|',
    '    ',
    '# ',
    '~~',
    '\\',
    '<',
    '&',
  );
  const word = fc.constantFrom('one', 'two', 'three', 'ü', '\u202e', '\u200b');
  const textOf = (block: Block): string => {
    if (block.kind === 'rule') return '';
    if (block.kind === 'quote') return block.blocks.map(textOf).join(' ');
    if (block.kind === 'list') return block.items.flatMap((item) => item.blocks.map(textOf)).join(' ');
    if (block.kind === 'table')
      return block.rows
        .flat()
        .map((cell) => shown(parseInline(cell)))
        .join(' ');
    return block.kind === 'code' ? `${block.language} ${block.text}` : shown(parseInline(block.text));
  };
  const shown = (parts: readonly Inline[]): string =>
    parts
      .map((part) => (typeof part === 'object' && 'href' in part ? `${plainOf([part])} ${part.href}` : plainOf([part])))
      .join('');
  fc.assert(
    fc.property(fc.array(fc.oneof(marks, word), { maxLength: 40 }), (parts) => {
      const text = parts.join('');
      const count = (from: string) => ['one', 'two', 'three', 'ü'].map((name) => from.split(name).length);
      // A row of a table that is longer than its head loses its end, as everywhere.
      fc.pre(!text.includes('|'));
      expect(count(blocks(text).map(textOf).join(' '))).toEqual(count(text));
    }),
    { numRuns: 500, seed: 1 },
  );
});

/** Characters that a parser may look at for each character of the text; measured by doubling the text. */
it.each([
  ['stars', '*'],
  ['emphasis', '*a _b '],
  ['quotes', '>'],
  ['brackets', '['],
  ['links', '[a]('],
  ['ticks', '`a``'],
  ['lists', '- '],
  ['cells', '|a'],
  ['blank lines', '\n'],
  ['spaces', ' '],
  ['titles', '](a "'],
  ['nested lists', '- a\n  '],
])('takes %s without end in a time that is bounded', (_, piece) => {
  const text = piece.repeat(1_000_000 / piece.length);
  const timeLimit = 30_000;
  const from = performance.now();
  for (const block of blocks(text)) if ('text' in block) parseInline(block.text);
  parseInline(text.slice(0, 20_000));
  expect(performance.now() - from).toBeLessThan(timeLimit);
});
