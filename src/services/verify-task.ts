import { RuntimeError } from '../base/errors.js';
import type { Actor } from '../core/actor.js';
import type { TaskReference } from '../core/tasks/task.js';
import type { Tasks } from '../core/tasks/tasks.js';
import type { Verdict } from '../core/tasks/verdict.js';
import type { Models } from '../llm/index.js';
import type { Jobs } from '../runner/jobs.js';
import { usableModel } from './model-request.js';
import { waitForJob } from './wait-for-job.js';

export interface VerifyRequest {
  task_id: TaskReference;
  /** The stored result of the task unless given. */
  result?: string | undefined;
  model?: string | undefined;
}

export interface VerifyNeeds {
  runtime: { tasks: Pick<Tasks, 'get'>; models: Models; jobs: Pick<Jobs, 'get' | 'submit'> };
  actor: Actor;
  signal: AbortSignal;
  progress(message: string): void;
}

export interface Verified {
  taskId: number;
  jobId: string;
  /** Undefined while the judge is still at work. */
  verdict: Verdict | undefined;
}

/**
 * Has a model judge a result by the acceptance criteria of its task, and stores the verdict with the task. Throws
 * `not_found`; `invalid` for a task without criteria or result; `not_configured` without a model; `unavailable` when the
 * judge gave no verdict.
 */
export async function verifyTask(request: VerifyRequest, needs: VerifyNeeds): Promise<Verified> {
  const { runtime, actor } = needs;
  const task = await runtime.tasks.get(request.task_id, actor);
  const { id, title, description, acceptance, expectedOutput, goalId } = task;
  if (acceptance === null) {
    throw new RuntimeError(
      'invalid',
      `Task ${id} "${title}" has no acceptance criteria.`,
      'Set them with edit_task (acceptance), then call verify_task again.',
    );
  }
  const result = request.result ?? task.result ?? '';
  if (result.trim() === '') {
    throw new RuntimeError('invalid', `Task ${id} "${title}" has no result to judge.`, 'Pass yours as result.');
  }
  const model = usableModel(runtime.models, request.model);
  const { job } = await runtime.jobs.submit(
    {
      type: 'verify',
      payload: {
        task_id: id,
        title,
        description,
        acceptance,
        expected_output: expectedOutput,
        result,
        model: model.requested,
      },
      requires: model.provider,
      requestedModel: model.requested,
      warnings: model.warnings,
      goalId: goalId ?? undefined,
    },
    actor,
  );
  const ended = await waitForJob(job.id, 'the result is being judged', { ...needs, jobs: runtime.jobs });
  if (!ended) return { taskId: id, jobId: job.id, verdict: undefined };
  if (ended.status === 'completed') {
    return { taskId: id, jobId: job.id, verdict: ended.result as unknown as Verdict };
  }
  throw new RuntimeError(
    'unavailable',
    `The judge gave no verdict (job ${job.id} ${ended.status}): ${ended.errorMessage}`,
    'Check the criteria yourself, or call verify_task again.',
  );
}
