import { expect, it } from 'vitest';
import { z } from 'zod';
import { checkPayload } from '../../src/agents/payload-schema.js';

const schema = z.strictObject({
  epochs: z.int().min(1),
  layers: z.array(z.object({ size: z.number() })).optional(),
  model: z.enum(['linear', 'svm']).optional(),
});

it.each([
  [{}, 'epochs is missing: expected number.'],
  [{ epochs: 0 }, 'epochs is 0: expected number to be >=1.'],
  [{ epochs: 1, layers: [{ size: 1 }, { size: 'big' }] }, 'layers[1].size is "big": expected number.'],
  [{ epochs: 1, epoch: 2 }, 'Unrecognized key: "epoch".'],
  [{ epochs: 0, model: 'x' }, 'epochs is 0: expected number to be >=1. model is "x": expected one of "linear"|"svm".'],
])('a payload that is wrong is told in one line with place and value: %j', async (payload, problem) => {
  expect(await checkPayload(schema, payload)).toMatchObject({ problem });
});
