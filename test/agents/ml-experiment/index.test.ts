import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AgentContext } from '../../../src/agents/define-agent.js';
import { createMlExperiment } from '../../../src/agents/ml-experiment/index.js';
import { readIris } from '../../../src/agents/ml-experiment/iris.js';
import { experimentPayload } from '../../../src/agents/ml-experiment/payload.js';
import { createRandom } from '../../../src/agents/ml-experiment/random.js';
import { type JsonObject, toJsonText } from '../../../src/base/json.js';
import { readResult } from '../../../src/core/jobs/second-names.js';
import { emptyDataDir, writeMnist } from './synthetic.js';

let dist: string;
let workerPath: string;

beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), 'ml-experiment-dist-'));
  workerPath = join(dist, 'trainer-worker.js');
  writeFileSync(join(dist, 'package.json'), '{"type":"module"}');
  // zod stays outside the test's bundle; the temporary directory has no node_modules of its own.
  symlinkSync(join(process.cwd(), 'node_modules'), join(dist, 'node_modules'));
  await build({
    entryPoints: {
      'trainer-worker': 'src/agents/ml-experiment/trainer-worker.ts',
      'ml-experiment': 'src/agents/ml-experiment/index.ts',
    },
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['zod'],
  });
});

afterAll(() => rmSync(dist, { recursive: true, force: true }));

interface Recording {
  context: AgentContext;
  progress: { fraction: number; message: string | undefined }[];
  logs: { level: string; message: string; fields: JsonObject | undefined }[];
  warnings: string[];
  partials: unknown[];
  files: Map<string, string>;
}

function record(dataDir: string, signal: AbortSignal, onProgress: () => void = () => undefined): Recording {
  const progress: Recording['progress'] = [];
  const logs: Recording['logs'] = [];
  const warnings: string[] = [];
  const partials: unknown[] = [];
  const files = new Map<string, string>();
  const context: AgentContext = {
    signal,
    dataDir,
    progress(fraction, message) {
      progress.push({ fraction, message });
      onProgress();
    },
    log: (level, message, fields) => logs.push({ level, message, fields }),
    warn: (message) => warnings.push(message),
    output: () => undefined,
    restartOutput: () => undefined,
    usage: () => undefined,
    usageSoFar: () => undefined,
    partial: (result) => partials.push(result),
    artifacts: async () => [],
    dependencies: async () => [],
    saveArtifact: async (name, data) => {
      files.set(name, String(data));
      return { name, path: `/${name}`, sizeBytes: data.length, sha256: 'none' };
    },
  };
  return { context, progress, logs, warnings, partials, files };
}

const jobOf = (payload: object) => ({
  id: '0f8fad5b-d9cb-469f-a165-70867728950e',
  type: 'ml_experiment',
  payload: experimentPayload.parse(payload),
  metadata: { user: 'researcher' },
  attempt: 1,
  isLastTry: false,
});

/** Every key of a result and no other; zod's numbers are finite. */
const resultShape = z.strictObject({
  experiment_id: z.string(),
  model: z.string(),
  model_type: z.string(),
  dataset: z.string(),
  task: z.literal('classification'),
  params: z.record(z.string(), z.union([z.string(), z.number()])),
  seed: z.int(),
  data_source: z.string(),
  train_size: z.int(),
  test_size: z.int(),
  epochs: z.int(),
  epochs_run: z.int(),
  final_accuracy: z.number(),
  final_loss: z.number(),
  test: z.strictObject({
    accuracy: z.number(),
    loss: z.number(),
    per_class: z.array(
      z.strictObject({
        class: z.string(),
        precision: z.number(),
        recall: z.number(),
        f1: z.number(),
        support: z.int(),
      }),
    ),
    macro_f1: z.number(),
    confusion_matrix: z.array(z.array(z.int())),
  }),
  history: z.array(
    z.strictObject({ epoch: z.int(), train_loss: z.number(), train_accuracy: z.number(), seconds: z.number() }),
  ),
  training_history: z.array(z.strictObject({ epoch: z.int(), loss: z.number(), accuracy: z.number() })),
  warnings: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
  duration_ms: z.number(),
  completed_at: z.string(),
});

describe('a job on iris', () => {
  it('has the result keys of the spec and of the source', async () => {
    const { context, progress, logs, warnings } = record('/nowhere', new AbortController().signal);
    const returned = await createMlExperiment({ workerPath }).execute(jobOf({ epochs: 60 }), context);
    expect(Object.keys(returned as object)).not.toContain('training_history');
    const result = readResult('ml_experiment', JSON.stringify(returned));

    expect(result).toMatchObject({
      experiment_id: 'exp_0f8fad5b',
      model: 'linear',
      model_type: 'linear',
      dataset: 'iris',
      params: { epochs: 60, learning_rate: 0.01, batch_size: 16, optimizer: 'adam', l2: 0, test_fraction: 0.2 },
      seed: 42,
      data_source: 'built in: Fisher 1936, Iris, UCI Machine Learning Repository (CC BY 4.0), 150 rows',
      train_size: 120,
      test_size: 30,
      epochs: 60,
      epochs_run: 60,
      metadata: { user: 'researcher' },
      completed_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      warnings: expect.arrayContaining(['defaults used: learning_rate 0.01, batch_size 16']),
    });
    const { test, history, training_history, final_accuracy, final_loss, duration_ms } = resultShape.parse(result);
    expect([final_accuracy, final_loss]).toEqual([test.accuracy, test.loss]);
    expect(test.confusion_matrix.flat().reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(test.per_class.map(({ support }) => support)).toEqual([10, 10, 10]);
    const hits = test.confusion_matrix.reduce((sum, counts, index) => sum + (counts[index] ?? 0), 0);
    expect(hits / 30).toBe(test.accuracy);
    expect(test.macro_f1).toBeGreaterThan(0.8);
    expect(training_history).toEqual(
      history.map(({ epoch, train_loss, train_accuracy }) => ({ epoch, loss: train_loss, accuracy: train_accuracy })),
    );
    expect(duration_ms).toBeGreaterThan(0);
    expect(toJsonText(result)).toHaveProperty('text');

    expect(progress).toHaveLength(61);
    expect(progress.at(-1)).toEqual({ fraction: 1, message: expect.stringMatching(/^epoch 60 of 60, loss 0\.\d+$/) });
    expect(logs.filter(({ message }) => message === 'epoch done')).toHaveLength(60);
    expect(warnings).toEqual(resultShape.parse(result).warnings);
  });

  it('gives the same numbers twice', async () => {
    const run = async () => {
      const { context } = record('/nowhere', new AbortController().signal);
      return createMlExperiment({ workerPath }).execute(jobOf({ model: 'neural', epochs: 10 }), context);
    };
    const [first, second] = await Promise.all([run(), run()]);
    const numbers = (result: unknown) => {
      const { test, training_history } = resultShape.parse(readResult('ml_experiment', JSON.stringify(result)));
      return { test, training_history };
    };
    expect(numbers(first)).toEqual(numbers(second));
  });
});

it('the bundle finds its worker in its own directory', async () => {
  const bundled: { createMlExperiment: typeof createMlExperiment } = await import(join(dist, 'ml-experiment.js'));
  const { context } = record('/nowhere', new AbortController().signal);
  const result = await bundled.createMlExperiment().execute(jobOf({ epochs: 2 }), context);
  expect(result).toMatchObject({ epochs_run: 2 });
});

it('a missing dataset fails at once with the message of the reader', async () => {
  const { context } = record('/nowhere', new AbortController().signal);
  await expect(createMlExperiment({ workerPath }).execute(jobOf({ dataset: 'mnist' }), context)).rejects.toMatchObject({
    name: 'AgentError',
    code: 'DATASET_NOT_FOUND',
    message: expect.stringMatching(/^MNIST is not complete in \/nowhere\/mnist: missing .+AGENT_RUNTIME_DATA_DIR/),
  });
});

describe('a long training', () => {
  const long = { model: 'neural', dataset: 'mnist', epochs: 100, batch_size: 8, learning_rate: 0.0001 };

  it('leaves the event loop free and stops within a batch when cancelled', async () => {
    const { dataDir, directory } = emptyDataDir('mnist');
    writeMnist(directory, 5_000, 100);
    const controller = new AbortController();
    const reason = new Error('cancelled by its submitter');
    const delay = monitorEventLoopDelay({ resolution: 5 });
    let reports = 0;
    const { context } = record(dataDir, controller.signal, () => {
      reports++;
      if (reports === 2) delay.enable();
      if (reports < 4) return;
      delay.disable();
      controller.abort(reason);
    });
    await expect(createMlExperiment({ workerPath }).execute(jobOf(long), context)).rejects.toMatchObject({
      code: 'CANCELLED',
      message: expect.stringMatching(/^Stopped (in|after the steps of) epoch \d+ of 100/),
      cause: reason,
    });
    // An epoch that holds the loop would hold up every one of its turns.
    expect(delay.percentile(50) / 1e6).toBeLessThan(100);
  });

  it('that is cancelled leaves its whole epochs and the network after the last of them', async () => {
    const controller = new AbortController();
    const recording = record('/nowhere', controller.signal, () => {
      if (recording.progress.length === 4) controller.abort();
    });
    const { context, partials, files } = recording;
    const payload = { model: 'neural', hidden: 512, batch_size: 1, epochs: 10_000 };
    const run = createMlExperiment({ workerPath }).execute(jobOf({ ...payload, seed: 9 }), context);
    await expect(run).rejects.toMatchObject({ code: 'CANCELLED' });
    const result = partials.at(-1) as { epochs_run: number; history: { train_loss: number }[] };
    const epochs = result.epochs_run;
    expect(epochs).toBeGreaterThan(0);
    expect(result).toMatchObject({
      partial: true,
      epochs: 10_000,
      checkpoint: { epoch: epochs, file: 'checkpoint.json' },
    });
    expect(result.history).toHaveLength(epochs);
    // Every row's class scores of that network give the loss that the history says of its epoch.
    const { inputs, hidden, classes, precision, parameters } = JSON.parse(files.get('checkpoint.json') ?? '');
    expect([inputs, hidden, classes, precision]).toEqual([4, 512, ['setosa', 'versicolor', 'virginica'], 'float64']);
    const bytes = Buffer.from(parameters, 'base64');
    const weights = Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(index * 8));
    const { train } = readIris({ testFraction: 0.2, limitTrain: undefined, limitTest: undefined }, createRandom(9));
    let loss = 0;
    for (let row = 0; row < train.count; row++) {
      const given = [...train.features.slice(row * 4, row * 4 + 4)];
      const units = layer(given, weights.slice(0, 5 * 512), 512).map((value) => Math.max(0, value));
      const scores = layer(units, weights.slice(5 * 512), 3);
      const highest = Math.max(...scores);
      const sum = scores.reduce((total, score) => total + Math.exp(score - highest), 0);
      loss += Math.log(sum) + highest - (scores[train.labels[row] ?? 0] ?? 0);
    }
    expect(loss / train.count).toBeCloseTo(result.history.at(-1)?.train_loss ?? Number.NaN, 9);
  });

  it('that is cancelled beforehand never begins', async () => {
    const { context, progress } = record('/nowhere', AbortSignal.abort());
    await expect(createMlExperiment({ workerPath }).execute(jobOf(long), context)).rejects.toMatchObject({
      code: 'CANCELLED',
      message: 'Stopped before it began.',
    });
    expect(progress).toHaveLength(1);
  });
});

/** A dense layer: weights input by input, then a bias for each output. */
function layer(inputs: number[], parameters: number[], outputs: number): number[] {
  return Array.from({ length: outputs }, (_, output) =>
    inputs.reduce(
      (sum, value, input) => sum + value * (parameters[input * outputs + output] ?? 0),
      parameters[inputs.length * outputs + output] ?? 0,
    ),
  );
}

describe('a worker that breaks', () => {
  const runWorker = async (source: string) => {
    const controller = new AbortController();
    const path = join(dist, 'broken-worker.mjs');
    writeFileSync(path, source);
    const { context, progress } = record('/nowhere', controller.signal, () => {
      if (progress.length === 2) controller.abort();
    });
    return createMlExperiment({ workerPath: path, stopGraceMs: 50 }).execute(jobOf({}), context);
  };

  it('that ignores a cancel is terminated', async () => {
    const report = "{ kind: 'progress', progress: { epoch: 1, batch: 1, batches: 8, loss: 1 } }";
    const source = `import { parentPort } from 'node:worker_threads'; parentPort.postMessage(${report}); for (;;);`;
    await expect(runWorker(source)).rejects.toMatchObject({
      code: 'CANCELLED',
      message: 'Stopped by force, without an answer.',
    });
  });

  it('that throws rejects with its error', async () => {
    await expect(runWorker("throw new TypeError('a bug');")).rejects.toThrow('a bug');
  });

  it('that exits without a message rejects with its exit code', async () => {
    await expect(runWorker('process.exit(3);')).rejects.toThrow(
      "The trainer's thread ended with exit code 3 and no result.",
    );
  });
});
