import { expect, it } from 'vitest';
import { type Column, cutToWidth, relativeTime, renderTable } from '../../src/cli/table.js';
import { textWidth } from '../../src/cli/text-width.js';

interface Row {
  id: number;
  title: string;
  worker?: string;
}

const columns: Column<Row>[] = [
  { title: 'ID', value: ({ id }) => String(id), isNumber: true },
  { title: 'TITLE', value: ({ title }) => title, isText: true },
  { title: 'WORKER', value: ({ worker = '' }) => worker },
];
const paint = (_: unknown, text: string) => text;
const table = (rows: Row[], width = 80) => renderTable(columns, rows, { width, paint });

it('stands in columns, numbers at the right, and leaves out a column that is empty in every row', () => {
  expect(
    table([
      { id: 1, title: 'Write' },
      { id: 12, title: 'Read it' },
    ]),
  ).toBe('ID  TITLE\n 1  Write\n12  Read it');
});

it('counts wide letters as two columns of the terminal', () => {
  const [head = '', wide = '', narrow = ''] = table([
    { id: 1, title: '日本語', worker: 'a' },
    { id: 2, title: 'plain!', worker: 'b' },
  ]).split('\n');
  expect(textWidth(wide)).toBe(textWidth(narrow));
  expect(textWidth(wide.slice(0, wide.indexOf('a')))).toBe(head.indexOf('WORKER'));
});

it.each([10, 20, 33, 50])('is no wider than a terminal of %i columns, and marks what is cut', (width) => {
  const rows = [
    { id: 1, title: '漢字と仮名で書かれた長い題名がここにあります', worker: 'session-1' },
    { id: 2, title: 'A long title in English that does not fit either 👩‍👩‍👧‍👦', worker: 'session-2' },
  ];
  const lines = table(rows, width).split('\n');
  expect(lines.every((line) => textWidth(line) <= width)).toBe(true);
  expect(lines.slice(1).every((line) => line.includes('…'))).toBe(true);
});

it('cuts between letters, never inside one', () => {
  expect(cutToWidth('👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3)).toBe('👩‍👩‍👧‍👦…');
  expect(cutToWidth('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301…');
  expect(cutToWidth('fits', 4)).toBe('fits');
});

it('lets no control character and no line end of a cell out', () => {
  const text = table([{ id: 1, title: 'a\n\u001b[2Jb\u009b1m\u202ec\u0000' }]);
  expect(text.split('\n')).toHaveLength(2);
  expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
});

it('says when something was or will be', () => {
  const now = 1_000_000_000;
  expect(relativeTime(now - 3 * 3_600_000 - 1, now)).toBe('3h ago');
  expect(relativeTime(now + 5 * 60_000, now)).toBe('in 5m');
  expect(relativeTime(now - 40 * 86_400_000, now)).toBe('40d ago');
  expect(relativeTime(now, now)).toMatch(/^(in )?0s( ago)?$/);
});
