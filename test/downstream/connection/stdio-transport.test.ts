import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLineReader, type ReadLine } from '../../../src/downstream/connection/stdio-transport.js';

function readPieces(text: string, cuts: readonly number[], limit = 1_000_000): ReadLine[] {
  const bytes = Buffer.from(text);
  const lines: ReadLine[] = [];
  const read = createLineReader(limit, (line) => void lines.push(line));
  let from = 0;
  for (const cut of [...cuts, bytes.length].map((position) => Math.min(position, bytes.length)).sort((a, b) => a - b)) {
    read(bytes.subarray(from, cut));
    from = cut;
  }
  return lines;
}

it('lines come out whole wherever the bytes were split, also within a character', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replaceAll(/[\r\n]/g, '.'))),
      fc.array(fc.nat(200)),
      (texts, cuts) => {
        const lines = readPieces(texts.map((text) => `${text}\n`).join(''), cuts);
        expect(lines).toEqual(texts.map((text) => ({ text })));
      },
    ),
  );
});

it('a line over the limit is reported by its size and both ends, and the next is whole', () => {
  const long = `{"id":1,${'x'.repeat(5_000)},"jsonrpc":"2.0"}`;
  const pieces = Array.from({ length: 100 }, (_, index) => index * 60);
  const [first, second] = readPieces(`${long}\nnext\n`, pieces, 1_000);
  expect(first).toMatchObject({ oversize: long.length });
  expect(first && 'head' in first && first.head.startsWith('{"id":1,')).toBe(true);
  expect(first && 'tail' in first && first.tail.endsWith('"jsonrpc":"2.0"}')).toBe(true);
  expect(second).toEqual({ text: 'next' });
});
