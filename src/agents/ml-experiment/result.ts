import type { Json, JsonObject } from '../../base/json.js';
import type { AgentJob } from '../define-agent.js';
import type { Experiment } from './experiment.js';
import type { Params } from './params.js';
import type { ExperimentPayload } from './payload.js';

/**
 * The job's result. `model_type`, `final_*`, `training_history`, `experiment_id` and `completed_at` are the keys of
 * the earlier Python orchestrator; `final_*` are those of the held-out rows, never of the
 * rows trained on. Losses are means a row without the penalty: nats for linear and neural, hinge units for svm.
 */
export function toResult(
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
    final_accuracy: test.accuracy,
    final_loss: test.loss,
    test: {
      accuracy: test.accuracy,
      loss: test.loss,
      per_class: test.perClass,
      macro_f1: test.macroF1,
      confusion_matrix: test.confusionMatrix,
    },
    history: history.map(({ epoch, loss, accuracy, seconds }) => ({
      epoch,
      train_loss: loss,
      train_accuracy: accuracy,
      seconds,
    })),
    training_history: history.map(({ epoch, loss, accuracy }) => ({ epoch, loss, accuracy })),
    warnings: experiment.warnings,
    metadata: job.metadata,
    duration_ms: ended.durationMs,
    completed_at: ended.at.toISOString(),
  };
}

/** The params under their payload names, without those that do not apply. */
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
