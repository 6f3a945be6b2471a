import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../../src/agents/ml-experiment/dataset.js';
import { findWarnings } from '../../../src/agents/ml-experiment/experiment.js';
import { readIris } from '../../../src/agents/ml-experiment/iris.js';
import { type ExperimentPayload, experimentPayload, resolveParams } from '../../../src/agents/ml-experiment/payload.js';
import { createRandom, shuffle } from '../../../src/agents/ml-experiment/random.js';
import {
  type TrainerHooks,
  type TrainingProgress,
  thinProgress,
  train,
} from '../../../src/agents/ml-experiment/trainer.js';
import { syntheticImages } from './synthetic.js';

/** The least softmax loss that any linear model can have on the 120 train rows of seed 42 (scikit-learn, C = inf). */
const leastLoss = 0.0452934;
const models = ['linear', 'neural', 'svm'] as const;
const still: TrainerHooks = { shouldStop: () => false, onProgress: () => undefined, now: () => 0 };

type Options = Partial<ExperimentPayload>;

function trainIris(options: Options, change: (data: Dataset) => void = () => undefined) {
  const params = resolveParams(experimentPayload.parse(options));
  const random = createRandom(params.seed);
  const data = readIris(params, random);
  change(data);
  const trained = train(data, params, random, still);
  return { ...trained, losses: trained.history.map(({ loss }) => loss), warnings: findWarnings(data, params, trained) };
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const seeds = Array.from({ length: 10 }, (_, index) => 42 + index);

describe.each(models)('%s on iris', (model) => {
  it('is right on 0.90 of the test rows with seed 42, and on 0.93 over ten seeds', () => {
    const accuracies = seeds.map((seed) => trainIris({ model, seed }).test.accuracy);
    expect(accuracies[0]).toBeGreaterThanOrEqual(0.9);
    expect(mean(accuracies)).toBeGreaterThanOrEqual(0.93);
  });

  it('gives the same numbers for the same seed and others for another', () => {
    const first = trainIris({ model, epochs: 5 });
    const again = trainIris({ model, epochs: 5 });
    expect(again.network.parameters).toEqual(first.network.parameters);
    expect(again.history).toEqual(first.history);
    expect(first.network.parameters).toBeInstanceOf(Float64Array);
    expect(trainIris({ model, epochs: 5, seed: 43 }).losses).not.toEqual(first.losses);
  });

  it('learns nothing at rate 0, and says so', () => {
    const { losses, warnings } = trainIris({ model, epochs: 4, learning_rate: 0 });
    expect(new Set(losses).size).toBe(1);
    expect(warnings).toContain('learning_rate 0: nothing was learnt, the figures are those of random first weights');
  });

  it('has a lower loss after one more epoch at a small rate', () => {
    const losses = trainIris({ model, epochs: 20, learning_rate: 0.001 }).losses;
    losses.slice(1).forEach((loss, index) => {
      expect(loss).toBeLessThan(losses[index] ?? 0);
    });
  });

  it('is no better than chance when the train labels are shuffled', () => {
    const accuracies = Array.from({ length: 30 }, (_, seed) => {
      const random = createRandom(1_000 + seed);
      return trainIris({ model, seed, epochs: 30 }, ({ train: rows }) => {
        const labels = Int32Array.from(rows.labels);
        shuffle(labels, random);
        rows.labels.set(labels);
      }).test.accuracy;
    });
    expect(mean(accuracies)).toBeGreaterThan(0.23);
    expect(mean(accuracies)).toBeLessThan(0.44);
  });
});

describe('the least loss', () => {
  it('is approached by long training and never undercut', () => {
    const { losses } = trainIris({ learning_rate: 0.5, batch_size: 120, epochs: 3_000 });
    expect(Math.min(...losses)).toBeGreaterThanOrEqual(leastLoss);
    expect(losses.at(-1)).toBeLessThan(leastLoss + 1e-5);
  });

  it('is approached by plain gradient descent as in an independent implementation', () => {
    const params = resolveParams(experimentPayload.parse({ optimizer: 'sgd', learning_rate: 0.5, batch_size: 120 }));
    const random = createRandom(42);
    const { history } = train(readIris(params, random), { ...params, epochs: 20_000 }, random, still);
    expect(history.at(-1)?.loss).toBeCloseTo(0.045908, 5);
  });

  it.each([1, 16, 120])('is not undercut with batches of %i', (batch_size) => {
    const { losses } = trainIris({ learning_rate: 0.1, batch_size, epochs: 150 });
    expect(Math.min(...losses)).toBeGreaterThanOrEqual(leastLoss);
  });
});

describe("the source's example", () => {
  const example = { epochs: 10, learning_rate: 0.001, batch_size: 32 };

  it('stays high after forty tiny steps, with a warning', () => {
    for (const seed of seeds) {
      const { test, warnings } = trainIris({ ...example, seed });
      expect(test.accuracy).toBeLessThanOrEqual(0.9);
      expect(warnings).toContain('training loss still falling: 10 epochs at 0.001 are few');
    }
    expect(mean(seeds.map((seed) => trainIris({ ...example, seed }).test.accuracy))).toBeLessThan(0.6);
  });

  it('has no such warning once it has converged', () => {
    const { warnings } = trainIris({ epochs: 300, learning_rate: 0.05 });
    expect(warnings).toEqual(['defaults used: batch_size 16']);
  });
});

describe('images', () => {
  const data = syntheticImages(500, 784);

  it.each(models)('are learnt by %s in single precision', (model) => {
    const params = resolveParams(experimentPayload.parse({ model, dataset: 'mnist', learning_rate: 0.01 }));
    const { network, test } = train(data, params, createRandom(42), still);
    expect(network.parameters).toBeInstanceOf(Float32Array);
    expect(test.accuracy).toBeGreaterThan(0.95);
  });

  it('give the same loss whether bytes are divided or come divided', () => {
    const params = resolveParams(experimentPayload.parse({ model: 'neural', dataset: 'mnist', epochs: 2 }));
    const divided = (rows: Dataset['train']) => ({
      ...rows,
      features: Float64Array.from(rows.features, (value) => value / 255),
    });
    const doubles = { ...data, train: divided(data.train), test: divided(data.test) };
    const loss = (each: Dataset) => train(each, params, createRandom(42), still).history.at(-1)?.loss ?? 0;
    expect(loss(data)).toBeCloseTo(loss(doubles), 4);
  });
});

describe('a training that diverges', () => {
  it.each(models)('fails with the reason for %s, rather than with NaN in a result', (model) => {
    const wild = { model, optimizer: 'sgd', learning_rate: 100, l2: 100, epochs: 200 } as const;
    expect(() => trainIris(wild)).toThrowError(
      expect.objectContaining({
        code: 'DIVERGED',
        isTransient: false,
        message: expect.stringMatching(
          /^Training diverged in epoch \d+ of 200: .+\. Lower learning_rate \(was 100\) or l2 \(was 100\)\.$/,
        ),
      }),
    );
  });

  it('that ends finite but worse than it was has a warning', () => {
    const { warnings } = trainIris({ model: 'neural', learning_rate: 1, epochs: 20 });
    expect(warnings.join()).toMatch(
      /training loss ended at .+, above its best of .+ in epoch \d+: learning_rate 1 may be too high/,
    );
  });
});

describe('stopping', () => {
  const params = resolveParams(experimentPayload.parse({ dataset: 'mnist', batch_size: 65_536, epochs: 3 }));

  it('happens within a batch, however large it is', () => {
    let asked = 0;
    const hooks = { ...still, shouldStop: () => ++asked === 5 };
    expect(() => train(syntheticImages(1_000, 20), params, createRandom(42), hooks)).toThrowError(
      expect.objectContaining({ code: 'CANCELLED', message: 'Stopped in epoch 1 of 3, batch 1 of 1.' }),
    );
    expect(asked).toBe(5);
  });

  it('happens while an epoch is being evaluated', () => {
    let asked = 0;
    const hooks = { ...still, shouldStop: () => ++asked > 16 };
    expect(() => train(syntheticImages(1_000, 20), params, createRandom(42), hooks)).toThrowError(
      'Stopped after the steps of epoch 1 of 3.',
    );
  });
});

it('progress comes each second within an epoch, and at its end with the accuracy', () => {
  let time = 0;
  const seen: TrainingProgress[] = [];
  const hooks = { ...still, now: () => (time += 300), onProgress: (progress: TrainingProgress) => seen.push(progress) };
  const params = resolveParams(experimentPayload.parse({ dataset: 'mnist', batch_size: 10, epochs: 2 }));
  const { history } = train(syntheticImages(100, 20), params, createRandom(42), hooks);
  expect(seen.map(({ epoch, batch }) => `${epoch}:${batch}`)).toEqual(['1:4', '1:8', '1:10', '2:4', '2:8', '2:10']);
  expect(seen.filter(({ accuracy }) => accuracy !== undefined).map(({ loss }) => loss)).toEqual(
    history.map(({ loss }) => loss),
  );
  expect(history[0]?.seconds).toBeGreaterThan(0);
});

/** The epochs whose reports pass. */
function passed(epochs: number): number[] {
  const seen: number[] = [];
  const report = thinProgress(epochs, ({ epoch }) => seen.push(epoch));
  for (let epoch = 1; epoch <= epochs; epoch++) report({ epoch, batch: 8, batches: 8, loss: 1 });
  return seen;
}

it('up to a hundred epochs are all reported, beyond that the first, a hundred of them and the last', () => {
  expect(passed(3)).toEqual([1, 2, 3]);
  expect(passed(100)).toHaveLength(100);
  expect(passed(1_050).slice(0, 3)).toEqual([1, 11, 22]);
  expect(passed(1_050).at(-1)).toBe(1_050);
  expect(passed(10_000)).toHaveLength(101);
});

it('what happens within an epoch always passes', () => {
  let seen = 0;
  thinProgress(10_000, () => seen++)({ epoch: 1, batch: 3, batches: 8, loss: 1 });
  expect(seen).toBe(1);
});
