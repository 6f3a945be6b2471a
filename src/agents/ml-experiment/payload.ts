import { z } from 'zod';

export const namePattern = /^[a-z][a-z0-9_-]{0,49}$/;
export const nameRule = '1 to 50 of a-z 0-9 _ - and begins with a letter';

/** The payload of an `ml_experiment` job; `resolveParams` fills in what it leaves out. */
export const experimentPayload = z
  .strictObject({
    model: z
      .enum(['linear', 'neural', 'svm'])
      .default('linear')
      .describe(
        'linear: softmax regression. neural: one hidden ReLU layer. svm: linear multi-class support vector machine.',
      ),
    dataset: z
      .string()
      .regex(namePattern, { error: (issue) => `${JSON.stringify(issue.input)} is no data set: a name is ${nameRule}.` })
      .default('iris')
      .describe(
        'iris is built in; mnist and cifar10 are read from the data directory; any other name is a CSV file of your own ' +
          '(agent-runtime datasets import).',
      ),
    epochs: z
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe('Passes over the training rows; 100, or 5 for images, unless given.'),
    learning_rate: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe('Step size of the optimizer; 0.01, or 0.001 for images, unless given.'),
    batch_size: z.int().min(1).max(65_536).optional().describe('Rows per step; 16, or 32 for images, unless given.'),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(42)
      .describe('Drives the split, the first weights and the shuffles: the same seed repeats the same numbers.'),
    optimizer: z.enum(['adam', 'sgd']).default('adam').describe('adam (0.9, 0.999, 1e-8), or plain gradient descent.'),
    hidden: z
      .int()
      .min(1)
      .max(4_096)
      .optional()
      .describe('Units of the hidden layer, for neural only; 16, 64 for mnist, 128 for cifar10 unless given.'),
    l2: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe('Penalty on the squared weights, l2 / 2 times their sum; 0.001 for svm and 0 otherwise unless given.'),
    limit_train: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe('Train on the first rows only, for a quick trial; all rows unless given.'),
    limit_test: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe('Test on the first rows only, for a quick trial; all rows unless given.'),
    test_fraction: z
      .number()
      .min(0.02)
      .max(0.9)
      .optional()
      .describe(
        'Share of each class held out for the test; 0.2 unless given. Not for images, which have their own test rows.',
      ),
  })
  .superRefine((payload, context) => {
    if (payload.hidden !== undefined && payload.model !== 'neural') {
      context.addIssue({
        code: 'custom',
        path: ['hidden'],
        message: `hidden is for the neural model; ${payload.model} has no hidden layer. Leave it out.`,
      });
    }
    if (payload.test_fraction !== undefined && isImageSet(payload.dataset)) {
      context.addIssue({
        code: 'custom',
        path: ['test_fraction'],
        message: `test_fraction is for tables; ${payload.dataset} has its own test rows. Leave it out, or use limit_test.`,
      });
    }
  });

export type ExperimentPayload = z.output<typeof experimentPayload>;

export type ModelName = ExperimentPayload['model'];
/** iris, mnist, cifar10, or the name of an imported data set. */
export type DatasetName = ExperimentPayload['dataset'];
export type OptimizerName = ExperimentPayload['optimizer'];

/** A payload with every default filled in. */
export interface Params {
  model: ModelName;
  dataset: DatasetName;
  epochs: number;
  learningRate: number;
  batchSize: number;
  seed: number;
  optimizer: OptimizerName;
  /** Units of the hidden layer; undefined unless the model is neural. */
  hidden: number | undefined;
  /** Penalty of `l2 / 2` times the sum of squared weights; biases have none. */
  l2: number;
  /** Share of each class held out; undefined where the dataset has its own test rows. */
  testFraction: number | undefined;
  limitTrain: number | undefined;
  limitTest: number | undefined;
  /** Parameters that the submitter left out, as `name value`. */
  defaultsUsed: string[];
}

const tableDefaults = { epochs: 100, learningRate: 0.01, batchSize: 16, hidden: 16 };

const imageDefaults: Readonly<Record<string, typeof tableDefaults>> = {
  mnist: { epochs: 5, learningRate: 0.001, batchSize: 32, hidden: 64 },
  cifar10: { epochs: 5, learningRate: 0.001, batchSize: 32, hidden: 128 },
};

/** Data sets that have test rows of their own. */
const isImageSet = (name: string): boolean => Object.hasOwn(imageDefaults, name);

/** Names that no import can take. */
export const isBuiltInDataset = (name: string): boolean => name === 'iris' || isImageSet(name);

const defaultTestFraction = 0.2;
const svmPenalty = 0.001;

/** Fills in the defaults that depend on the dataset and the model, and lists them in `defaultsUsed`. */
export function resolveParams(payload: ExperimentPayload): Params {
  const defaults = imageDefaults[payload.dataset] ?? tableDefaults;
  const defaultsUsed: string[] = [];
  const choose = (name: string, given: number | undefined, otherwise: number): number => {
    if (given === undefined) defaultsUsed.push(`${name} ${otherwise}`);
    return given ?? otherwise;
  };
  return {
    model: payload.model,
    dataset: payload.dataset,
    epochs: choose('epochs', payload.epochs, defaults.epochs),
    learningRate: choose('learning_rate', payload.learning_rate, defaults.learningRate),
    batchSize: choose('batch_size', payload.batch_size, defaults.batchSize),
    seed: payload.seed,
    optimizer: payload.optimizer,
    hidden: payload.model === 'neural' ? choose('hidden', payload.hidden, defaults.hidden) : undefined,
    l2: payload.model === 'svm' ? choose('l2', payload.l2, svmPenalty) : (payload.l2 ?? 0),
    testFraction: isImageSet(payload.dataset) ? undefined : (payload.test_fraction ?? defaultTestFraction),
    limitTrain: payload.limit_train,
    limitTest: payload.limit_test,
    defaultsUsed,
  };
}
