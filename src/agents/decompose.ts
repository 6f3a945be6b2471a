import { z } from 'zod';
import type { Clock } from '../base/clock.js';
import { RuntimeError } from '../base/errors.js';
import { recordedActor } from '../core/actor.js';
import { applyPlan, planEdges, plannedTask, strategies } from '../core/goals/plan.js';
import { parsePlan, planJsonSchema, planPrompt } from '../core/goals/plan-request.js';
import { decomposeTask } from '../core/goals/subtasks.js';
import { setResult } from '../core/jobs/finish-job.js';
import type { JobEffect } from '../core/jobs/outcome.js';
import { defineAgent } from './define-agent.js';
import { modelParams } from './llm.js';
import { callModel, type ModelCallNeeds } from './model-call.js';

/** One of the two ids: of the goal to plan, or of the task to break down. */
export const decomposePayload = z.strictObject({
  goal_id: z.int().optional(),
  task_id: z.int().optional(),
  /** Proves the claim of who asked for it on the task. */
  claim_token: z.int().optional(),
  goal: z.strictObject({ name: z.string(), description: z.string() }),
  strategy: z.enum(strategies),
  max_tasks: z.int().min(1).max(100),
  model: z.string(),
  fallback_models: z.array(z.string()).default([]),
  params: modelParams.default({}),
});

const decomposeResult = z.object({ tasks: z.array(plannedTask) });

/** A model whose answer is not a plan gets a second try, with the reason. */
const planTries = 2;

/** The agent that has a model plan a goal. `decomposeEffect` creates the tasks when the job completes. */
export function createDecomposeAgent(needs: ModelCallNeeds) {
  return defineAgent({
    type: 'decompose',
    description: 'Has a language model break a goal into tasks.',
    payload: decomposePayload,
    async execute(job, context) {
      const { goal, strategy, max_tasks: maxTasks, model, fallback_models, params } = job.payload;
      const prompt = planPrompt({ goal, strategy, maxTasks });
      let complaint = '';
      for (let tries = 1; ; tries++) {
        context.restartOutput();
        const answer = await callModel(
          { prompt: prompt + complaint, model, fallback_models, params: { ...params, json_schema: planJsonSchema() } },
          job,
          context,
          needs,
        );
        try {
          return { tasks: parsePlan(answer.text, maxTasks) };
        } catch (error) {
          if (!(error instanceof RuntimeError) || tries === planTries) throw error;
          context.log('warn', 'the plan could not be used', { reason: error.message });
          complaint = `\n\nYour last answer could not be used. ${error.message}\nAnswer with the JSON alone.`;
        }
      }
    },
  });
}

/** Creates the tasks of a plan in the transaction that completes its job, and so exactly once. */
export const decomposeEffect =
  (clock: Clock): JobEffect =>
  async (sql, job, result, change) => {
    const {
      goal_id: goalId,
      task_id: task,
      claim_token: claimToken,
      strategy,
    } = decomposePayload.parse(JSON.parse(job.payload));
    const { tasks } = decomposeResult.parse(result);
    const actor = recordedActor(job.submitted_by, job.project);
    const plan = { goalId, strategy, tasks };
    const rows =
      task === undefined
        ? await applyPlan(sql, plan, { ...change, actor })
        : await decomposeTask(sql, { task, claimToken, strategy, tasks }, actor, clock);
    const subject = task === undefined ? { goal_id: goalId ?? 0 } : { task_id: task };
    const tasks_created = rows.map((row) => row.id);
    const dependencies = planEdges(plan, rows);
    await setResult(sql, job, { ...subject, strategy, tasks_created, count: rows.length, dependencies, tasks });
  };
