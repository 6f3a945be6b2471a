import { Worker } from 'node:worker_threads';
import { AgentError } from '../define-agent.js';
import type { Experiment, ExperimentTask, PartialExperiment } from './experiment.js';
import type { TrainingProgress } from './trainer.js';

/** The `workerData` of the worker. */
export interface TrainerWorkerData {
  task: ExperimentTask;
  /** One shared number; a value other than 0 asks the worker to stop. */
  stopFlag: Int32Array;
}

/** A message of the worker; `done` or `failed` is the last. */
export type TrainerMessage =
  | { kind: 'progress'; progress: TrainingProgress }
  | { kind: 'done'; experiment: Experiment }
  | { kind: 'failed'; code: string; message: string; partial: PartialExperiment | undefined };

export interface TrainerThread {
  /** The bundled `trainer-worker`. */
  workerPath: string | URL;
  /** How long after an abort the worker may take to stop by itself before it is terminated. */
  stopGraceMs: number;
  signal: AbortSignal;
  onProgress(progress: TrainingProgress): void;
  /** Called before the promise rejects, with the state after the last whole epoch, if there was one. */
  onPartial?(partial: PartialExperiment): void;
}

/**
 * Runs one experiment in a worker thread, so that the process can send heartbeats and cancel meanwhile. The thread has
 * ended when the promise settles.
 *
 * @throws AgentError `CANCELLED` on abort, with the signal's reason as cause; and the errors of `runExperiment`
 */
export async function runInThread(task: ExperimentTask, thread: TrainerThread): Promise<Experiment> {
  const { workerPath, stopGraceMs, signal, onProgress } = thread;
  if (signal.aborted) throw new AgentError('CANCELLED', 'Stopped before it began.', false, { cause: signal.reason });
  const stopFlag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const data: TrainerWorkerData = { task, stopFlag };
  // Without the parent's node flags, because a worker refuses some of them.
  const worker = new Worker(workerPath, { workerData: data, execArgv: [] });

  let backstop: NodeJS.Timeout | undefined;
  const stop = () => {
    Atomics.store(stopFlag, 0, 1);
    backstop = setTimeout(() => worker.terminate(), stopGraceMs);
  };
  signal.addEventListener('abort', stop, { once: true });

  let last: TrainerMessage | undefined;
  let crash: Error | undefined;
  worker.on('message', (message: TrainerMessage) => {
    last = message;
    if (message.kind === 'progress') onProgress(message.progress);
  });
  worker.on('error', (error: Error) => {
    crash = error;
  });
  const exitCode = await new Promise<number>((resolve) => worker.once('exit', resolve));
  signal.removeEventListener('abort', stop);
  clearTimeout(backstop);

  if (last?.kind === 'done') return last.experiment;
  const cause = signal.aborted ? { cause: signal.reason } : {};
  if (last?.kind === 'failed' && last.partial) thread.onPartial?.(last.partial);
  if (last?.kind === 'failed') throw new AgentError(last.code, last.message, false, cause);
  if (signal.aborted) throw new AgentError('CANCELLED', 'Stopped by force, without an answer.', false, cause);
  throw crash ?? new Error(`The trainer's thread ended with exit code ${exitCode} and no result.`);
}
