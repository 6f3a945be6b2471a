import { expect, it } from 'vitest';
import { isObject, jsonWithin } from '../../src/base/json.js';

it('reads the JSON of an answer, bare or in a code fence', () => {
  expect(jsonWithin('{"a": 1}')).toEqual({ a: 1 });
  expect(jsonWithin('Here it is:\n```json\n[1, 2]\n```\nDone.')).toEqual([1, 2]);
  expect(jsonWithin('null')).toBeNull();
  expect(jsonWithin('I cannot do that.')).toBeUndefined();
});

it('distinguishes an object from an array and from null', () => {
  expect([{}, [], null, 'text'].map(isObject)).toEqual([true, false, false, false]);
});
