import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/base/json.js';
import { checkOutput } from '../../../src/core/relay/output-schema.js';
import { relay } from './relay.js';

const evilText = `${'a'.repeat(40)}!`;
const deepList = JSON.parse(`${'['.repeat(60)}0${']'.repeat(60)}`) as Json;

const slow: [string, JsonObject, Json][] = [
  ['a pattern with nested repetition', { type: 'string', pattern: '^(a+)+$' }, evilText],
  ['a pattern for keys', { patternProperties: { '^(a+)+$': { type: 'null' } } }, { [evilText]: 1 }],
  [
    'the same in text that holds JSON',
    { type: 'object', properties: { a: { pattern: '^(a+)+$' } } },
    JSON.stringify({ a: evilText }),
  ],
  [
    'a schema that refers to itself twice a level',
    {
      $ref: '#/$defs/a',
      $defs: {
        a: {
          anyOf: [
            { type: 'array', items: { $ref: '#/$defs/a' } },
            { type: 'array', items: { $ref: '#/$defs/a' }, minItems: 1 },
          ],
        },
      },
    },
    deepList,
  ],
  [
    'unique items that are all objects',
    { uniqueItems: true },
    Array.from({ length: 60_000 }, (_, index) => ({ a: [index] })),
  ],
];

describe('a check that takes for ever', () => {
  it.each(slow)('%s: is ended within seconds, and the output has not passed', async (_, schema, output) => {
    const startedAt = performance.now();
    const checked = await checkOutput(schema, output);
    expect(checked).toEqual({ problem: expect.stringContaining('took longer than 1000 ms') });
    expect(performance.now() - startedAt).toBeLessThan(40_000);
  });

  it('costs the step an attempt, with the reason, and nothing else', async () => {
    const { advance } = await relay({
      steps: [{ agentType: 'a', outputSchema: { type: 'string', pattern: '^(a+)+$' } }, { agentType: 'b' }],
    });
    expect(await advance({ output: evilText })).toMatchObject({
      failure: 'invalid_output',
      reason: expect.stringContaining('a pattern with nested repetition'),
    });
  });
});

it('an output too long to be checked has not passed, and the limit is named', async () => {
  const problem = 'it has 1000003 characters, and at most 1000000 are checked by a schema';
  expect(await checkOutput({ type: 'string' }, 'x'.repeat(1_000_001))).toEqual({ problem });
  expect(await checkOutput(null, 'x'.repeat(1_000_001))).toHaveProperty('output');
});

it('patterns that look ahead or refer back are checked as before', async () => {
  const schema = { type: 'string', pattern: '^(?=.*\\d)(a|b)\\1$' };
  expect(await checkOutput({ type: 'string', pattern: '^(?=.{2}$)(a|b)\\1$' }, 'aa')).toEqual({ output: 'aa' });
  expect(await checkOutput(schema, 'ab')).toHaveProperty('problem');
});
