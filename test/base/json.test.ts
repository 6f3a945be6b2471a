import { expect, it } from 'vitest';
import { isObject, jsonWithin } from '../../src/base/json.js';

it('reads the JSON of an answer, bare or in a code fence', () => {
  expect(jsonWithin('{"a": 1}')).toEqual({ a: 1 });
  expect(jsonWithin('Here it is:\n```json\n[1, 2]\n```\nDone.')).toEqual([1, 2]);
  expect(jsonWithin('null')).toBeNull();
  expect(jsonWithin('I cannot do that.')).toBeUndefined();
});

it('reads the first fence of JSON or of nothing, and ends soon for an answer that is only fences and line ends', () => {
  expect(jsonWithin('```js\nf()\n```\nthen\n```json  \n\n{"a": [1]}\n```')).toEqual({ a: [1] });
  expect(jsonWithin('```\n"text"```')).toBe('text');
  const startedAt = performance.now();
  for (const part of ['\n', '```', '``` \n', '```json']) {
    expect(jsonWithin(`\`\`\`${part.repeat(300_000)}`)).toBeUndefined();
  }
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

it('distinguishes an object from an array and from null', () => {
  expect([{}, [], null, 'text'].map(isObject)).toEqual([true, false, false, false]);
});
