import { RuntimeError } from '../../base/errors.js';
import type { Json, JsonObject } from '../../base/json.js';
import { type Agent, type AgentContext, type AgentJob, type BuiltInAgent, defineAgent } from '../define-agent.js';
import type { Experiment, PartialExperiment } from './experiment.js';
import { describeOwn, unknownDataset, unsuitable } from './own-datasets.js';
import { type ExperimentPayload, experimentPayload, isBuiltInDataset, type Params, resolveParams } from './payload.js';
import type { Epoch, TrainingProgress } from './trainer.js';
import { runInThread } from './trainer-thread.js';

export interface MlExperimentOptions {
  /** AGENT_RUNTIME_DATA_DIR, where the submission of a job looks whether its data set is there; it does not look without. */
  dataDir?: string | undefined;
  /** The bundled `trainer-worker`; by default the file of that name beside this module. */
  workerPath?: string | URL;
  /** How long a cancelled training may take to stop by itself; 1,000 ms by default. */
  stopGraceMs?: number;
}

/**
 * The agent of `ml_experiment` jobs: trains a classifier in a worker thread and reports its performance on held-out rows.
 * Its errors are AgentErrors: `DATASET_NOT_FOUND`, `DATASET_INVALID`, `DATASET_UNREADABLE`,
 * `DATASET_CHANGED`, `MODEL_UNSUITABLE`, `DIVERGED`, `CANCELLED`.
 */
export function createMlExperiment(
  options: MlExperimentOptions = {},
): Agent<typeof experimentPayload> & Pick<BuiltInAgent, 'demandsOf'> {
  const { dataDir, workerPath = new URL('./trainer-worker.js', import.meta.url), stopGraceMs = 1_000 } = options;
  const agent = defineAgent({
    type: 'ml_experiment',
    description:
      'Trains a classifier (linear, neural or svm) on iris, mnist, cifar10 or an imported CSV file, or a regression ' +
      '(linear or neural) on the latter; returns the scores of held-out rows and the training history. Repeatable by its seed.',
    payload: experimentPayload,
    async execute(job, context) {
      const startedAt = performance.now();
      const params = resolveParams(job.payload);
      context.progress(0, `reading ${params.dataset}`);
      let partial: PartialExperiment | undefined;
      const experiment = await runInThread(
        { params, dataDir: context.dataDir },
        {
          workerPath,
          stopGraceMs,
          signal: context.signal,
          onProgress: (progress) => reportProgress(context, params, progress),
          onPartial: (state) => {
            partial = state;
          },
        },
      ).catch(async (error: unknown) => {
        if (partial) await keepPartial(job, params, partial, context);
        throw error;
      });
      for (const warning of experiment.warnings) context.warn(warning);
      const durationMs = Math.round(performance.now() - startedAt);
      return toResult(job, params, experiment, { at: new Date(), durationMs });
    },
  });
  return {
    ...agent,
    demandsOf(payload) {
      if (dataDir !== undefined) requireDataset(payload as ExperimentPayload, dataDir);
      return {};
    },
  };
}

/** Throws `not_found` for a data set that is not there, and `invalid` for a model that cannot learn it. */
function requireDataset({ dataset, model }: ExperimentPayload, dataDir: string): void {
  // Those that are downloaded may come until the job runs.
  if (isBuiltInDataset(dataset)) return;
  const found = describeOwn(dataDir, dataset);
  if (!found) throw new RuntimeError('not_found', unknownDataset(dataDir, dataset), 'Call list_agents with its type.');
  if (found.task === 'regression' && model === 'svm') {
    throw new RuntimeError('invalid', unsuitable(dataset, found.target), 'Nothing was submitted.');
  }
}

/**
 * Keeps the epochs of a training that was stopped, and its last network as `checkpoint.json`: `parameters` are the bytes of
 * all weights and biases, little-endian, in base64.
 */
async function keepPartial(
  job: AgentJob<ExperimentPayload>,
  params: Params,
  { trainSize, testSize, history, source, checkpoint }: PartialExperiment,
  context: AgentContext,
): Promise<void> {
  const { parameters, ...network } = checkpoint;
  const result = {
    experiment_id: `exp_${job.id.slice(0, 8)}`,
    partial: true,
    ...namesOf(params),
    data_source: source,
    train_size: trainSize,
    test_size: testSize,
    epochs_run: history.length,
    ...showHistory(history),
  };
  // The file may fail; the figures are kept all the same.
  context.partial(result);
  const bytes = Buffer.from(parameters.buffer, parameters.byteOffset, parameters.byteLength);
  const file = await context.saveArtifact(
    'checkpoint.json',
    JSON.stringify({
      ...namesOf(params),
      ...network,
      epoch: history.length,
      precision: parameters instanceof Float32Array ? 'float32' : 'float64',
      parameters: bytes.toString('base64'),
    }),
  );
  context.partial({ ...result, checkpoint: { epoch: history.length, file: file.name, sha256: file.sha256 } });
}

/** Passes progress on, and logs the end of each epoch. */
function reportProgress(context: AgentContext, { epochs }: Params, progress: TrainingProgress): void {
  const { epoch, batch, batches, loss, accuracy } = progress;
  const fraction = (epoch - 1 + batch / batches) / epochs;
  const isEnd = batch === batches;
  const place = isEnd ? '' : `, batch ${batch} of ${batches}`;
  context.progress(fraction, `epoch ${epoch} of ${epochs}${place}, loss ${loss.toPrecision(4)}`);
  if (isEnd)
    context.log('info', 'epoch done', { epoch, epochs, train_loss: loss, ...known('train_accuracy', accuracy) });
}

/** A figure under its name, unless it is undefined for this kind of target. */
function known(name: string, figure: number | undefined): JsonObject {
  return figure === undefined || Number.isNaN(figure) ? {} : { [name]: figure };
}

/**
 * The result of the job. `final_*`, `experiment_id` and `completed_at` are keys of the earlier Python orchestrator; when it
 * is read whole, it has `model_type` and `training_history` too. `final_*` are the figures of the held-out rows, never of the train rows. Losses are
 * means per row without the penalty, in nats for linear and neural, in hinge units for svm. Of a regression they are
 * squared errors in units of the target's variance, `test.rmse` and `test.mae` are in units of the target, and there is
 * no accuracy.
 */
function toResult(
  job: AgentJob<ExperimentPayload>,
  params: Params,
  experiment: Experiment,
  ended: { at: Date; durationMs: number },
): JsonObject {
  const { history, test } = experiment;
  return {
    experiment_id: `exp_${job.id.slice(0, 8)}`,
    ...namesOf(params),
    data_source: experiment.source,
    train_size: experiment.trainSize,
    test_size: experiment.testSize,
    epochs_run: history.length,
    task: test.task,
    ...(test.task === 'classification' ? { final_accuracy: test.accuracy } : { final_r2: test.r2 }),
    final_loss: test.loss,
    test: showTest(test),
    ...showHistory(history),
    warnings: experiment.warnings,
    metadata: job.metadata,
    duration_ms: ended.durationMs,
    completed_at: ended.at.toISOString(),
  };
}

function namesOf(params: Params): JsonObject {
  const { model, dataset, seed, epochs } = params;
  return { model, dataset, params: toJsonParams(params), seed, epochs };
}

function showHistory(history: readonly Epoch[]): JsonObject {
  return {
    history: history.map(({ epoch, loss, accuracy, seconds }) => ({
      epoch,
      train_loss: loss,
      ...known('train_accuracy', accuracy),
      seconds,
    })),
  };
}

function showTest(test: Experiment['test']): JsonObject {
  if (test.task === 'regression') return { loss: test.loss, rmse: test.rmse, mae: test.mae, r2: test.r2 };
  return {
    accuracy: test.accuracy,
    loss: test.loss,
    per_class: test.perClass,
    macro_f1: test.macroF1,
    confusion_matrix: test.confusionMatrix,
  };
}

/** The parameters under their payload names, without those that do not apply. */
function toJsonParams(params: Params): JsonObject {
  const named: Record<string, Json | undefined> = {
    epochs: params.epochs,
    learning_rate: params.learningRate,
    batch_size: params.batchSize,
    optimizer: params.optimizer,
    l2: params.l2,
    hidden: params.hidden,
    test_fraction: params.testFraction,
    limit_train: params.limitTrain,
    limit_test: params.limitTest,
  };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
