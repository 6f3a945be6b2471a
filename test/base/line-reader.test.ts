import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLineReader, idIn, type Oversize, type ReadLine } from '../../src/base/line-reader.js';

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

it('the bytes of a line that comes in many pieces are copied once', () => {
  const text = 'x'.repeat(9_000_000);
  const pieces = Array.from({ length: Math.ceil(text.length / 65_536) }, (_, index) => index * 65_536);
  const join = vi.spyOn(Buffer, 'concat');
  onTestFinished(() => join.mockRestore());
  expect(readPieces(`${text}\n`, pieces, 16_000_000)).toEqual([{ text }]);
  const copied = join.mock.results.map(({ value }) => value.length);
  expect(copied).toEqual([text.length]);
});

describe('the id of a message that is too long to read', () => {
  const idOf = (message: string): string | number | undefined => {
    const [line] = readPieces(`${message}\n`, [], 100);
    return idIn(line as Oversize);
  };
  const long = 'x'.repeat(5_000);

  it.each([
    [7, { jsonrpc: '2.0', id: 7, method: 'a', params: { long } }],
    [7, { method: 'a', params: { long }, jsonrpc: '2.0', id: 7 }],
    [7, { method: 'tools/call', id: 7, jsonrpc: '2.0', params: { id: 8, long } }],
    [7, { params: { long, id: 8 }, id: 7, jsonrpc: '2.0', method: 'a' }],
    ['a "b" \\', { jsonrpc: '2.0', id: 'a "b" \\', method: 'a', params: { long } }],
    [undefined, { jsonrpc: '2.0', method: 'a', params: { id: 8, long } }],
    [undefined, { jsonrpc: '2.0', method: 'a', params: { long, id: 8 } }],
    [undefined, { jsonrpc: '2.0', method: 'a', params: { long: `${long},"id":8}` } }],
    [undefined, { jsonrpc: '2.0', method: 'a', id: 1.5, params: { long } }],
  ])('is %j in a message of that order', (id, message) => {
    expect(idOf(JSON.stringify(message))).toBe(id);
  });

  it('is found with spaces between', () => {
    expect(idOf(`{ "jsonrpc" : "2.0" , "id" : 7 , "params" : "${long}" }`)).toBe(7);
    expect(idOf(`{ "params" : "${long}" , "id" : 7 }`)).toBe(7);
  });
});
