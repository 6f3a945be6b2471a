import { parentPort, workerData } from 'node:worker_threads';
import { AgentError } from '../define-agent.js';
import { type PartialExperiment, runExperiment } from './experiment.js';
import { thinProgress } from './trainer.js';
import type { TrainerMessage, TrainerWorkerData } from './trainer-thread.js';

/** Entry of the worker: runs one experiment, posts its progress and its outcome, and ends. */
if (!parentPort) throw new Error('The trainer runs in a worker thread only.');
const port = parentPort;
const { task, stopFlag } = workerData as TrainerWorkerData;
const post = (message: TrainerMessage): void => port.postMessage(message);

/** After the last whole epoch. */
let partial: PartialExperiment | undefined;

try {
  const experiment = runExperiment(task, {
    shouldStop: () => Atomics.load(stopFlag, 0) !== 0,
    onProgress: thinProgress(task.params.epochs, (progress) => post({ kind: 'progress', progress })),
    onEpoch: (read) => {
      partial = read();
    },
    now: () => performance.now(),
  });
  post({ kind: 'done', experiment });
} catch (error) {
  // Only an AgentError is for the submitter; any other error is a bug and reaches the parent as the worker's `error`.
  if (!(error instanceof AgentError)) throw error;
  post({ kind: 'failed', code: error.code, message: error.message, partial });
}
