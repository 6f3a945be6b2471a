import { type Agent, type AgentContext, defineAgent } from '../define-agent.js';
import { type Params, resolveParams } from './params.js';
import { experimentPayload } from './payload.js';
import { toResult } from './result.js';
import type { Progress } from './trainer.js';
import { runInThread } from './trainer-thread.js';

export interface MlExperimentOptions {
  /** The bundled `trainer-worker`; by default the file of that name beside this module. */
  workerPath?: string | URL;
  /** How long a cancelled training may take to stop by itself; 1,000 ms by default. */
  stopGraceMs?: number;
}

/**
 * The agent of `ml_experiment` jobs: trains a classifier for real, in a worker thread, and reports how well it does on
 * rows it has not seen. Its errors are AgentErrors: `DATASET_NOT_FOUND`, `DATASET_INVALID`, `DATASET_UNREADABLE`,
 * `DIVERGED`, `CANCELLED`.
 */
export function createMlExperiment(options: MlExperimentOptions = {}): Agent<typeof experimentPayload> {
  const { workerPath = new URL('./trainer-worker.js', import.meta.url), stopGraceMs = 1_000 } = options;
  return defineAgent({
    type: 'ml_experiment',
    description:
      'Trains a classifier (linear, neural or svm) on iris, mnist or cifar10 and returns test accuracy, per-class ' +
      'scores, the confusion matrix and the training history. Repeatable by its seed.',
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
}

/** Progress as it comes, and a log line at the end of an epoch. */
function reportProgress(context: AgentContext, { epochs }: Params, progress: Progress): void {
  const { epoch, batch, batches, loss, accuracy } = progress;
  const fraction = (epoch - 1 + batch / batches) / epochs;
  const place = accuracy === undefined ? `, batch ${batch} of ${batches}` : '';
  context.progress(fraction, `epoch ${epoch} of ${epochs}${place}, loss ${loss.toPrecision(4)}`);
  if (accuracy !== undefined) {
    context.log('info', 'epoch done', { epoch, epochs, train_loss: loss, train_accuracy: accuracy });
  }
}
