import { describe, expect, it } from 'vitest';
import { parseJsonc } from '../../src/base/jsonc.js';

const text = `{
  // the model
  "model": "opus", /* of all */
  "limits": {
    "workerSlots": 3,
  },
  "agents": ["a", "b"],
}`;

describe('JSON with comments', () => {
  it('is read as what it says, with the place of each value', () => {
    const { value, placeOf } = parseJsonc(text);
    expect(value).toEqual({ model: 'opus', limits: { workerSlots: 3 }, agents: ['a', 'b'] });
    expect(placeOf(['limits', 'workerSlots'])).toBe('line 5, column 5');
    expect(placeOf(['agents', 1])).toBe('line 7, column 19');
    expect(placeOf(['limits', 'missing'])).toBe('line 4, column 13');
  });

  it('is counted from after a byte order mark, and through Windows line ends', () => {
    expect(parseJsonc('\uFEFF{"a": 1}').placeOf(['a'])).toBe('line 1, column 2');
    expect(parseJsonc('{\r\n  "a": 1\r\n}').placeOf(['a'])).toBe('line 2, column 3');
  });

  it('a name such as __proto__ is a property like any other', () => {
    const { value } = parseJsonc('{"__proto__": {"isAdmin": true}}');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect((value as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each([
    ['{"a" 1}', "line 1, column 6: a colon is expected, not '1'"],
    ['{\n  "a": tru\n}', "line 2, column 8: a value is expected, not 'tru'"],
    ['{"a": 1', 'line 1, column 8: a closing brace is expected, not the end of the text'],
    ['{"a": "b\n}', `line 1, column 7: the string has no closing quote, not '"b'`],
    ['', 'line 1, column 1: a value is expected, not the end of the text'],
    ['{} {}', "line 1, column 4: the text should end before this, not '{'"],
  ])('%j is refused with line and column', (wrong, message) => {
    expect(() => parseJsonc(wrong)).toThrow(message);
  });

  it.each(['{"a": 1, // no\n}', '{"a": 1,}'])('%j is refused where JSON proper is asked for', (loose) => {
    expect(() => parseJsonc(loose, { isStrict: true })).toThrow(/^line 1, column/);
    expect(parseJsonc(loose).value).toEqual({ a: 1 });
  });
});
