import { z } from 'zod';
import { recordedActor } from '../core/actor.js';
import type { JobEffect } from '../core/jobs/outcome.js';
import { storeTaskVerdict, type Verdict } from '../core/tasks/verdict.js';
import { defineAgent } from './define-agent.js';
import { judgeTask } from './judge-task.js';
import type { ModelCallNeeds } from './model-call.js';

export const verifyPayload = z.strictObject({
  task_id: z.int(),
  title: z.string(),
  description: z.string(),
  acceptance: z.string(),
  expected_output: z.string().nullable(),
  result: z.string(),
  model: z.string(),
});

/** The agent that judges a result which a worker brings. `verifyEffect` stores the verdict with the task. */
export function createVerifyAgent(needs: ModelCallNeeds) {
  return defineAgent({
    type: 'verify',
    description: 'Has a language model hold the result of a task against its acceptance criteria.',
    payload: verifyPayload,
    execute(job, context): Promise<Verdict> {
      const { expected_output: expectedOutput, ...judgement } = job.payload;
      return judgeTask({ ...judgement, expectedOutput }, job, context, needs);
    },
  });
}

/** Stores the verdict in the transaction that completes its job, and so exactly once. */
export const verifyEffect: JobEffect = async (sql, job, result, change) => {
  const { task_id } = verifyPayload.parse(JSON.parse(job.payload));
  const actor = recordedActor(job.submitted_by, job.project);
  await storeTaskVerdict(sql, task_id, result as unknown as Verdict, { ...change, actor });
};
