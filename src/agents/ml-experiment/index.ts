import { RuntimeError } from '../../base/errors.js';
import type { Json, JsonObject } from '../../base/json.js';
import { type Agent, type AgentContext, type AgentJob, type BuiltInAgent, defineAgent } from '../define-agent.js';
import type { Experiment } from './experiment.js';
import { describeOwn, unknownDataset, unsuitable } from './own-datasets.js';
import { type ExperimentPayload, experimentPayload, isBuiltInDataset, type Params, resolveParams } from './payload.js';
import type { TrainingProgress } from './trainer.js';
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
      const experiment = await runInThread(
        { params, dataDir: context.dataDir },
        {
          workerPath,
          stopGraceMs,
          signal: context.signal,
          onProgress: (progress) => reportProgress(context, params, progress),
        },
      );
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
 * The result of the job. `model_type`, `final_*`, `training_history`, `experiment_id` and `completed_at` are the keys of
 * the earlier Python orchestrator. `final_*` are the figures of the held-out rows, never of the train rows. Losses are
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
    model: params.model,
    model_type: params.model,
    dataset: params.dataset,
    params: toJsonParams(params),
    seed: params.seed,
    data_source: experiment.source,
    train_size: experiment.trainSize,
    test_size: experiment.testSize,
    epochs: params.epochs,
    epochs_run: history.length,
    task: test.task,
    ...(test.task === 'classification' ? { final_accuracy: test.accuracy } : { final_r2: test.r2 }),
    final_loss: test.loss,
    test: showTest(test),
    history: history.map(({ epoch, loss, accuracy, seconds }) => ({
      epoch,
      train_loss: loss,
      ...known('train_accuracy', accuracy),
      seconds,
    })),
    training_history: history.map(({ epoch, loss, accuracy }) => ({ epoch, loss, ...known('accuracy', accuracy) })),
    warnings: experiment.warnings,
    metadata: job.metadata,
    duration_ms: ended.durationMs,
    completed_at: ended.at.toISOString(),
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
