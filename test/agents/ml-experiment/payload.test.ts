import { expect, it } from 'vitest';
import { z } from 'zod';
import { experimentPayload, resolveParams } from '../../../src/agents/ml-experiment/payload.js';

it('an empty payload is linear on iris with seed 42', () => {
  expect(experimentPayload.parse({})).toEqual({ model: 'linear', dataset: 'iris', seed: 42, optimizer: 'adam' });
});

it('defaults that depend on the dataset are filled in and listed', () => {
  expect(resolveParams(experimentPayload.parse({ model: 'neural', dataset: 'mnist', epochs: 2 }))).toMatchObject({
    epochs: 2,
    learningRate: 0.001,
    batchSize: 32,
    hidden: 64,
    l2: 0,
    testFraction: undefined,
    defaultsUsed: ['learning_rate 0.001', 'batch_size 32', 'hidden 64'],
  });
  expect(resolveParams(experimentPayload.parse({ model: 'svm' }))).toMatchObject({
    epochs: 100,
    learningRate: 0.01,
    batchSize: 16,
    hidden: undefined,
    l2: 0.001,
    testFraction: 0.2,
    defaultsUsed: ['epochs 100', 'learning_rate 0.01', 'batch_size 16', 'l2 0.001'],
  });
});

it.each([
  { dataset: 'iris', epochs: 100, learningRate: 0.01, batchSize: 16, hidden: 16 },
  { dataset: 'mnist', epochs: 5, learningRate: 0.001, batchSize: 32, hidden: 64 },
  { dataset: 'cifar10', epochs: 5, learningRate: 0.001, batchSize: 32, hidden: 128 },
] as const)('$dataset has defaults of its own', ({ dataset, ...defaults }) => {
  expect(resolveParams(experimentPayload.parse({ model: 'neural', dataset }))).toMatchObject({ ...defaults, l2: 0 });
  expect(resolveParams(experimentPayload.parse({ model: 'svm', dataset }))).toMatchObject({ l2: 0.001 });
});

it.each([
  { epochs: 0 },
  { epochs: 1.5 },
  { epochs: Number.NaN },
  { epochs: 10_001 },
  { epochs: '10' },
  { learning_rate: Number.NaN },
  { learning_rate: Number.POSITIVE_INFINITY },
  { learning_rate: -0.1 },
  { batch_size: 0 },
  { batch_size: 2.5 },
  { seed: -1 },
  { seed: 2 ** 32 },
  { l2: -1 },
  { limit_train: 0 },
  { limit_test: 0 },
  { test_fraction: 1 },
  { hidden: 16 },
  { model: 'neural', hidden: 0 },
  { dataset: 'mnist', test_fraction: 0.2 },
  { model: 'forest' },
  { dataset: '../imagenet' },
  { optimizer: 'lbfgs' },
  { epoch: 10 },
])('%o is refused', (payload) => {
  expect(experimentPayload.safeParse(payload).success).toBe(false);
});

it('a refusal names the field and the reason', () => {
  const reasons = (payload: unknown) =>
    experimentPayload.safeParse(payload).error?.issues.map(({ message }) => message);
  expect(reasons({ epoch: 10 })).toEqual(['Unrecognized key: "epoch"']);
  expect(reasons({ hidden: 16 })).toEqual([
    'hidden is for the neural model; linear has no hidden layer. Leave it out.',
  ]);
  expect(reasons({ dataset: 'mnist', test_fraction: 0.5 })).toEqual([
    'test_fraction is for tables; mnist has its own test rows. Leave it out, or use limit_test.',
  ]);
});

it('every field is described, in a schema that admits nothing else', () => {
  const schema = z.toJSONSchema(experimentPayload, { io: 'input' });
  expect(schema.additionalProperties).toBe(false);
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    expect(field, name).toHaveProperty('description');
  }
});
