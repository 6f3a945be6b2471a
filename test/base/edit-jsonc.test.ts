import { expect, it } from 'vitest';
import { removeFromJsonc, setInJsonc } from '../../src/base/edit-jsonc.js';

it('setting a value keeps comments, indent, line ends and the byte order mark', () => {
  const before = '\uFEFF{\r\n\t// mine\r\n\t"a": 1.0e3\r\n}\r\n';
  expect(setInJsonc(before, ['b', 'c'], [1])).toBe(
    '\uFEFF{\r\n\t// mine\r\n\t"a": 1.0e3,\r\n\t"b": {\r\n\t\t"c": [\r\n\t\t\t1\r\n\t\t]\r\n\t}\r\n}\r\n',
  );
  expect(setInJsonc('', ['a', 'b'], 1)).toBe('{\n  "a": {\n    "b": 1\n  }\n}\n');
});

it.each([
  ['{\n  "a": 1 // one\n}\n', '{\n  "a": 1, // one\n  "b": {\n    "c": 2\n  }\n}\n'],
  ['{\n  "a": 1, /* one */\n  // the end\n}', '{\n  "a": 1, /* one */\n  // the end\n  "b": {\n    "c": 2\n  },\n}'],
  ['{}', '{\n  "b": {\n    "c": 2\n  }\n}'],
  ['{"b": {"c": 1, "d": 3}}', '{"b": {"c": 2, "d": 3}}'],
  ['{\n  "b": {\n    "d": 3\n  }\n}', '{\n  "b": {\n    "d": 3,\n    "c": 2\n  }\n}'],
])('a comment stays with what it speaks of: %j', (before, after) => {
  expect(setInJsonc(before, ['b', 'c'], 2)).toBe(after);
});

it.each([
  ['{\n  "a": 1, // one\n  "b": 2 // two\n}\n', '{\n  "a": 1 // one\n}\n'],
  ['{\n  "b": 2, // two\n  "a": 1 // one\n}\n', '{\n  "a": 1 // one\n}\n'],
  ['{"a":1,"b":2}', '{"a":1}'],
  ['{"b":2, "a":1}', '{"a":1}'],
  ['{"b":2}', '{}'],
  ['{\n  "a": 1,\n  "b": 2,\n}', '{\n  "a": 1,\n}'],
  ['\uFEFF{\r\n  "a": 1,\r\n  "b": {\r\n  }\r\n}', '\uFEFF{\r\n  "a": 1\r\n}'],
  ['{ "a": 1, /* of a */ "b": 2, "c": 3 }', '{ "a": 1, /* of a */ "c": 3 }'],
  ['{"a": 1}', '{"a": 1}'],
])('a property is removed with its comma: %j', (before, after) => {
  expect(removeFromJsonc(before, ['b'])).toBe(after);
});
